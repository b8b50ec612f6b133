#include "server/cli/cli.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "server/cli/commands.h"

namespace redoubt::cli {
namespace {

using config::Setting;

// The flags of one subcommand, as they were given.
class Flags {
 public:
  void AddTo(CLI::App& command, std::initializer_list<std::string_view> groups) {
    for (const Setting& setting : config::AllSettings()) {
      bool wanted = groups.size() == 0;
      for (std::string_view group : groups) wanted = wanted || setting.group == group || setting.name == group;
      if (wanted && !setting.secret) Add(command, setting);
    }
  }

  config::Settings::Flags Given() const {
    config::Settings::Flags given;
    for (const auto& [option, name] : options_) {
      if (option->count() > 0) given[name] = option->results();
    }
    return given;
  }

 private:
  void Add(CLI::App& command, const Setting& setting) {
    std::string help(setting.help);
    if (setting.kind == Setting::Kind::kNumber) help += fmt::format(" [{}..{}]", setting.min, setting.max);
    if (!setting.default_value.empty() && setting.value_name != "")
      help += fmt::format(" (default {})", setting.default_value);
    CLI::Option* option = nullptr;
    if (setting.kind == Setting::Kind::kSwitch && setting.value_name.empty()) {
      // Without as_const CLI11 would take `help` for the variable to write the flag into.
      option = command.add_flag("--" + std::string(setting.name), std::as_const(help));
    } else {
      values_.emplace_back();
      option = command.add_option("--" + std::string(setting.name), values_.back(), help);
      option->option_text(std::string(setting.value_name));
      if (setting.kind != Setting::Kind::kList) option->expected(1);
    }
    option->group(std::string(setting.group));
    options_.emplace_back(option, std::string(setting.name));
  }

  std::deque<std::vector<std::string>> values_;  // CLI11 keeps references
  std::vector<std::pair<CLI::Option*, std::string>> options_;
};

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return std::string(value);
}

constexpr const char* kAbout =
    "Redoubt watches Redis and Valkey servers, raises alerts, and diagnoses incidents from logs and metrics.";

constexpr const char* kMore =
    "Settings come from DATA/redoubt.env (or --config FILE), the environment (REDOUBT_HTTP for --http, and so on) and\n"
    "flags; the later wins, `redoubt config` shows the outcome. Secrets have no flag: REDOUBT_TOKEN, REDOUBT_LLM_KEY.\n"
    "\n"
    "Fixed limits: request header 16 KB within 10 s, body 1 MB (/analyze and bulk-import: --max-log-mb) within 60 s,\n"
    "log text 8,000,000 bytes, metrics 5,000 fields, JSON 32 levels deep, bulk-import 1,000 entries, 64 requests that\n"
    "wait for other servers; beyond them: 413, 431, 400, or 503 with Retry-After.";

// One subcommand with its flags and what it does.
struct Command {
  CLI::App* app;
  Flags flags;
  std::function<int(const config::Settings&)> run;
};

class Program {
 public:
  explicit Program(const std::function<int(const config::Settings&)>& serve) : app_(kAbout, "redoubt") {
    app_.require_subcommand(1);
    app_.footer("`redoubt COMMAND --help` tells more. Documentation: docs/operate.");
    Add(app_, "serve", "Run the assistant: HTTP API, web UI, monitoring", {}, serve).app->footer(kMore);
    AddKnowledge();
    AddDiagnose();
    Add(app_, "config", "Show every setting, its value and where it comes from", {}, ShowConfig);
    Add(app_, "version", "Show the version", {"config"}, [](const config::Settings&) { return ShowVersion(); });
    app_.set_version_flag("--version", [] {
      ShowVersion();
      return std::string();
    });
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : 2;
    }
    for (Command& command : commands_) {
      if (!command.app->parsed()) continue;
      base::Result<config::Settings> settings = config::Settings::Resolve(command.flags.Given(), FromEnvironment);
      if (settings.ok()) return command.run(*settings);
      Complain(settings.status().message());
      return 2;
    }
    return 2;
  }

 private:
  Command& Add(CLI::App& parent, const std::string& name, const std::string& about,
               std::initializer_list<std::string_view> groups, std::function<int(const config::Settings&)> run) {
    commands_.push_back({parent.add_subcommand(name, about), {}, std::move(run)});
    commands_.back().flags.AddTo(*commands_.back().app, groups);
    return commands_.back();
  }

  void AddKnowledge() {
    CLI::App& kb = *app_.add_subcommand("kb", "Look after the knowledge base");
    kb.require_subcommand(1);
    Add(kb, "load", "Read the knowledge files and the stored edits, and report each entry",
        {"data", "config", "knowledge"}, KbLoad);
    Command& list = Add(kb, "list", "List the entries", {"data", "config", "knowledge"},
                        [this](const config::Settings& s) { return KbList(s, category_, json_); });
    list.app->add_option("--category", category_, "Only this category, e.g. memory");
    list.app->add_flag("--json", json_, "As JSON");
    Command& save =
        Add(kb, "export", "Write all entries, with the stored edits, as JSON files", {"data", "config", "knowledge"},
            [this](const config::Settings& s) { return KbExport(s, folder_); });
    save.app->add_option("folder", folder_, "Where to write; made when missing")->required();
    Command& check = Add(kb, "validate", "Check knowledge files without loading them anywhere", {"config", "knowledge"},
                         [this](const config::Settings& s) { return KbValidate(s, folder_); });
    check.app->add_option("folder", folder_,
                          "Folder with troubleshooting/ and failure_modes/; --knowledge when not given");
  }

  void AddDiagnose() {
    Command& command =
        Add(app_, "diagnose", "Diagnose a log or metrics here and now, without a server", {"config", "knowledge"},
            [this](const config::Settings& s) { return Diagnose(s, diagnose_); });
    command.app->add_option(
        "--log", diagnose_.log_file,
        "Server log, INFO, SLOWLOG or CLIENT LIST output; - reads standard input. Of a file over 8 MB the end is read");
    command.app->add_option("--metrics", diagnose_.metrics_file, "JSON object of INFO fields, or INFO output");
    command.app->add_option("--lang", diagnose_.lang, "ko or en (default: by LANG)")
        ->check(CLI::IsMember({"ko", "en"}));
    command.app->add_flag("--json", diagnose_.json, "The reply of POST /api/v1/analyze");
    command.app->add_flag("--md,!--no-md", markdown_, "Markdown (the default)");
    command.app->add_flag("--debug", diagnose_.debug, "With weights and timings");
    command.app->footer("Example: redoubt diagnose --log /var/log/redis/redis-server.log --lang en");
  }

  CLI::App app_;
  std::deque<Command> commands_;
  DiagnoseOptions diagnose_;
  std::string category_, folder_;
  bool json_ = false, markdown_ = true;
};

}  // namespace

int Complain(const std::string& message) {
  fmt::print(stderr, "redoubt: {}\n", message);
  return 1;
}

int Run(int argc, char** argv, const std::function<int(const config::Settings&)>& serve) {
  return Program(serve).Run(argc, argv);
}

}  // namespace redoubt::cli
