#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::config {

// One setting: --name on the command line, REDOUBT_NAME in the environment and in the settings file.
struct Setting {
  enum class Kind { kText, kSwitch, kNumber, kList };  // a list is repeated as a flag, separated by commas elsewhere
  std::string_view name;                               // "max-log-mb"
  std::string_view value_name;                         // "MB", for help; empty for a switch
  std::string_view default_value;                      // as text
  std::string_view group;                              // heading in help
  std::string_view help;
  Kind kind = Kind::kText;
  bool secret = false;    // never shown, and no flag: flags can be seen by every user of the machine
  long min = 0, max = 0;  // for kNumber
};

std::span<const Setting> AllSettings();
std::string EnvironmentName(std::string_view setting);  // "max-log-mb" -> "REDOUBT_MAX_LOG_MB"

enum class Source { kDefault, kFile, kEnvironment, kFlag };
std::string_view SourceName(Source source);

// The settings in force and where each came from: default, file, environment, flag; the later wins.
class Settings {
 public:
  using Flags = std::map<std::string, std::vector<std::string>>;  // by setting name, as given
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;

  // The file is --config, else redoubt.env in the data folder if there is one. InvalidArgument names the setting, the
  // place it came from and what is wrong with it.
  static base::Result<Settings> Resolve(const Flags& flags, const Environment& environment);

  const std::string& Text(std::string_view name) const;
  bool On(std::string_view name) const;
  long Number(std::string_view name) const;
  std::vector<std::string> List(std::string_view name) const;
  Source source(std::string_view name) const;
  const std::string& file() const { return file_; }  // empty: none was read

  // A table for a person; secrets as "(set)".
  std::string Describe() const;

 private:
  struct Value {
    std::string text;
    Source source = Source::kDefault;
  };
  base::Status Take(std::string_view name, std::string text, Source source);
  base::Status TakeFile(const std::string& path);
  const Value& Find(std::string_view name) const;

  std::map<std::string, Value, std::less<>> values_;
  std::string file_;
};

}  // namespace redoubt::config
