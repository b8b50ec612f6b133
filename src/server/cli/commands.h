#pragma once

#include <string>

#include "server/config/settings.h"

namespace redoubt::cli {

// The subcommands, each in the file of its name. They print to standard output, complain to standard error and give
// the exit status.
struct DiagnoseOptions {
  std::string log_file;      // "-" is standard input; empty: none
  std::string metrics_file;  // JSON {field: value} or INFO text
  std::string lang;          // "ko" or "en"; empty: by LANG
  bool json = false;
  bool debug = false;
};
int Diagnose(const config::Settings& settings, const DiagnoseOptions& options);

int KbLoad(const config::Settings& settings);
int KbList(const config::Settings& settings, const std::string& category, bool json);
int KbExport(const config::Settings& settings, const std::string& folder);
int KbValidate(const config::Settings& settings, const std::string& folder);

int ShowConfig(const config::Settings& settings);
int ShowVersion();

// "redoubt: <message>" to standard error; gives 1.
int Complain(const std::string& message);

}  // namespace redoubt::cli
