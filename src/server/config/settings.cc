#include "server/config/settings.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace redoubt::config {
namespace {

using Kind = Setting::Kind;

constexpr std::string_view kAddresses = "Addresses and access";
constexpr std::string_view kWatching = "Watching";
constexpr std::string_view kModel = "Language model (optional)";
constexpr std::string_view kFiles = "Files";
constexpr std::string_view kLimits = "Limits";

// Kept in the order in which help shows them.
// clang-format off
constexpr Setting kSettings[] = {
    {"http", "ADDR:PORT", "127.0.0.1:8000", kAddresses, "Where the HTTP API and its documentation listen"},
    {"ui", "ADDR:PORT", "127.0.0.1:8501", kAddresses,
     "Where the web UI listens (the UI is at / of --http too); off: nowhere"},
    {"token-file", "FILE", "", kAddresses, "File that holds the API token; asked for on every call then"},
    {"token", "TOKEN", "", kAddresses, "The API token itself", Kind::kText, true},
    {"tls-cert", "FILE", "", kAddresses, "Certificate chain (PEM) to serve HTTPS; with --tls-key"},
    {"tls-key", "FILE", "", kAddresses, "Its private key (PEM)"},
    {"behind-proxy", "", "off", kAddresses,
     "A proxy in front ends TLS: allows an address beyond loopback without --tls-cert", Kind::kSwitch},
    {"allow-host", "NAME", "", kAddresses, "Host name by which browsers may call this server (repeat for more)",
     Kind::kList},

    {"connect", "URL", "", kWatching, "Server to watch from the start: redis[s]://[user:pass@]host[:port]"},
    {"connect-name", "NAME", "", kWatching, "Name shown for it"},
    {"allow-test-faults", "HOST:PORT", "", kWatching, "Server that faults may be injected into (repeat for more)",
     Kind::kList},
    {"demo-redis", "PROGRAM", "", kWatching, "redis-server that the demo starts; searched for when not given"},

    {"llm-url", "URL", "", kModel, "Base URL of an OpenAI-compatible service, e.g. http://127.0.0.1:8080/v1"},
    {"llm-model", "NAME", "", kModel, "Model to ask for"},
    {"llm-key-file", "FILE", "", kModel, "File that holds its API key"},
    {"llm-key", "KEY", "", kModel, "The API key itself", Kind::kText, true},
    {"llm-timeout", "SECONDS", "20", kModel, "Answers without its words after this time", Kind::kNumber, false, 1, 300},

    {"data", "DIR", "data", kFiles, "Database, sealed credentials; created when missing"},
    {"config", "FILE", "", kFiles, "Settings file of NAME=VALUE lines; DIR/redoubt.env when not given"},
    {"knowledge", "DIR", "", kFiles, "Knowledge files; those beside the program when not given"},
    {"model", "DIR", "", kFiles, "Embedding model; the one beside the program when not given"},
    {"backends", "DIR", "", kFiles, "Inference backends; those beside the program when not given"},
    {"web", "DIR", "", kFiles, "Built web UI; the one beside the program when not given"},
    {"embedding", "on|off", "on", kFiles, "off: keyword retrieval only", Kind::kSwitch},
    {"log-level", "LEVEL", "info", kFiles, "debug, info, warning or error"},

    {"max-log-mb", "MB", "16", kLimits, "Largest body of /analyze and bulk-import; more is refused with 413",
     Kind::kNumber, false, 1, 64},
    {"max-connections", "N", "10000", kLimits, "Open HTTP connections; more are closed", Kind::kNumber, false, 10,
     100000},
    {"max-streams", "N", "8192", kLimits, "Open event streams; more are refused with 503", Kind::kNumber, false, 1,
     100000},
    {"threads", "N", "4", kLimits, "Threads for database and computing", Kind::kNumber, false, 1, 64},
    {"queue", "N", "256", kLimits, "Requests that wait for a thread; more are refused with 503", Kind::kNumber, false,
     1, 100000},
    {"max-instances", "N", "500", kLimits, "Watched servers", Kind::kNumber, false, 1, 5000},
};
// clang-format on

const Setting* FindSetting(std::string_view name) {
  auto found =
      std::find_if(std::begin(kSettings), std::end(kSettings), [&](const Setting& s) { return s.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

std::optional<bool> ParseSwitch(std::string_view text) {
  for (std::string_view yes : {"on", "true", "yes", "1"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"off", "false", "no", "0", ""}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<long> ParseNumber(std::string_view text) {
  long value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string Trim(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string Unquote(std::string text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::string NameForPeople(const Setting& setting, Source source) {
  return source == Source::kFlag ? fmt::format("--{}", setting.name) : EnvironmentName(setting.name);
}

}  // namespace

std::span<const Setting> AllSettings() { return kSettings; }

std::string EnvironmentName(std::string_view setting) {
  std::string name = "REDOUBT_";
  for (char c : setting) name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kDefault:
      return "default";
    case Source::kFile:
      return "file";
    case Source::kEnvironment:
      return "environment";
    case Source::kFlag:
      return "flag";
  }
  return "default";
}

base::Result<Settings> Settings::Resolve(const Flags& flags, const Environment& environment) {
  Settings settings;
  for (const Setting& setting : kSettings)
    settings.values_[std::string(setting.name)] = {std::string(setting.default_value)};
  auto chosen = [&](std::string_view name) -> std::string {
    if (auto flag = flags.find(std::string(name)); flag != flags.end() && !flag->second.empty())
      return flag->second.back();
    if (auto value = environment(EnvironmentName(name))) return *value;
    return settings.Text(name);
  };
  std::string file = chosen("config");
  bool named = !file.empty();
  if (!named) file = (std::filesystem::path(chosen("data")) / "redoubt.env").string();
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    RETURN_IF_ERROR(settings.TakeFile(file));
  } else if (named) {
    return base::NotFound(fmt::format("settings file {} does not exist", file));
  }
  for (const Setting& setting : kSettings) {
    if (auto value = environment(EnvironmentName(setting.name))) {
      RETURN_IF_ERROR(settings.Take(setting.name, *value, Source::kEnvironment));
    }
  }
  for (const auto& [name, values] : flags) {
    std::string joined;
    for (const std::string& value : values) joined += (joined.empty() ? "" : ",") + value;
    RETURN_IF_ERROR(settings.Take(name, joined, Source::kFlag));
  }
  return settings;
}

base::Status Settings::Take(std::string_view name, std::string text, Source source) {
  const Setting* setting = FindSetting(name);
  CHECK(setting != nullptr);
  std::string shown = NameForPeople(*setting, source);
  if (setting->kind == Kind::kSwitch && !ParseSwitch(text)) {
    return base::InvalidArgument(fmt::format("{}: '{}' is neither on nor off", shown, text));
  }
  if (setting->kind == Kind::kNumber) {
    std::optional<long> value = ParseNumber(text);
    if (!value || *value < setting->min || *value > setting->max) {
      return base::InvalidArgument(
          fmt::format("{}: '{}' is no number from {} to {}", shown, text, setting->min, setting->max));
    }
  }
  values_.find(name)->second = {std::move(text), source};
  return base::OkStatus();
}

base::Status Settings::TakeFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return base::PermissionDenied(fmt::format("cannot read the settings file {}", path));
  file_ = path;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    line = Trim(line);
    if (line.empty() || line.front() == '#') continue;
    size_t equals = line.find('=');
    std::string name = Trim(std::string_view(line).substr(0, equals));
    auto setting = std::find_if(std::begin(kSettings), std::end(kSettings),
                                [&](const Setting& s) { return EnvironmentName(s.name) == name; });
    if (equals == std::string::npos || setting == std::end(kSettings)) {
      return base::InvalidArgument(
          fmt::format("{}:{}: '{}' is no setting: see `redoubt config` for the names", path, number, name));
    }
    base::Status taken = Take(setting->name, Unquote(Trim(std::string_view(line).substr(equals + 1))), Source::kFile);
    if (!taken.ok()) return base::Status(taken.code(), fmt::format("{}:{}: {}", path, number, taken.message()));
  }
  return base::OkStatus();
}

const Settings::Value& Settings::Find(std::string_view name) const {
  auto found = values_.find(name);
  CHECK(found != values_.end());
  return found->second;
}

const std::string& Settings::Text(std::string_view name) const { return Find(name).text; }
bool Settings::On(std::string_view name) const { return ParseSwitch(Text(name)).value_or(false); }
long Settings::Number(std::string_view name) const { return ParseNumber(Text(name)).value_or(0); }
Source Settings::source(std::string_view name) const { return Find(name).source; }

std::vector<std::string> Settings::List(std::string_view name) const {
  std::vector<std::string> items;
  std::string_view rest = Text(name);
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    if (std::string item = Trim(rest.substr(0, comma)); !item.empty()) items.push_back(std::move(item));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return items;
}

std::string Settings::Describe() const {
  std::string text;
  std::string_view group;
  for (const Setting& setting : kSettings) {
    if (setting.group != group) text += fmt::format("{}# {}\n", group.empty() ? "" : "\n", setting.group);
    group = setting.group;
    const Value& value = Find(setting.name);
    // A URL may carry a password.
    bool hidden = setting.secret || (setting.name == "connect" && value.text.find('@') != std::string::npos);
    std::string shown = hidden && !value.text.empty() ? "(set)" : value.text;
    text += fmt::format("{:<28} = {:<24} {}\n", EnvironmentName(setting.name), shown, SourceName(value.source));
  }
  return text;
}

}  // namespace redoubt::config
