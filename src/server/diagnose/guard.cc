#include "server/diagnose/guard.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "server/diagnose/version.h"

namespace redoubt::diagnose {

using base::Json;
using base::LocalText;
using base::Result;

struct Guard::Table {
  struct Rule {
    std::string id;
    std::unique_ptr<RE2> pattern;
    LocalText text, instead;
    std::string from_version;
    std::vector<std::string> managed;
  };
  std::vector<std::unique_ptr<RE2>> harmless;
  std::vector<Rule> never, data_loss, refused;
  std::map<std::string, LocalText, std::less<>> places;

  const LocalText& PlaceOf(const std::string& managed) const {
    auto it = places.find(managed);
    static const LocalText kConsole = {"서비스 제공자의 콘솔", "the provider's console"};
    return it == places.end() ? kConsole : it->second;
  }
};

namespace {

Result<LocalText> TextOf(const Json& json, const char* key) {
  if (!json.contains(key) || !json[key].is_object()) return LocalText{};
  LocalText out{json[key].value("ko", ""), json[key].value("en", "")};
  if (out.ko.empty() || out.en.empty()) return base::InvalidArgument(std::string(key) + " needs ko and en");
  return out;
}

Result<std::unique_ptr<RE2>> PatternOf(const Json& json) {
  if (!json.is_string()) return base::InvalidArgument("a pattern has to be a string");
  RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_unique<RE2>(json.get<std::string>(), options);
  if (!pattern->ok()) return base::InvalidArgument("pattern " + pattern->error());
  return pattern;
}

base::Status ReadRules(const Json& json, const char* key, const char* text, std::vector<Guard::Table::Rule>& out);

std::string Strip(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n')) text.remove_suffix(1);
  return std::string(text);
}

// What is run, without the remark behind it.
std::string WithoutRemark(std::string_view command) {
  size_t remark = command.find("  #");
  if (remark == std::string_view::npos) remark = command.find(" # ");
  return Strip(command.substr(0, remark));
}

// "CONFIG SET maxmemory 1gb" -> "maxmemory 1gb"; "redis.conf: dir /x" -> "dir /x".
std::string SettingOf(const std::string& command) {
  std::string setting;
  if (RE2::PartialMatch(command, R"((?i)CONFIG\s+SET\s+(.+))", &setting)) return setting;
  if (RE2::PartialMatch(command, R"((?i)^redis\.conf:\s*(.+))", &setting)) return setting;
  return command;
}

std::string Filled(std::string text, const std::string& place, const std::string& setting) {
  for (auto [name, value] : {std::pair<std::string_view, std::string_view>{"{place}", place}, {"{setting}", setting}}) {
    if (size_t at = text.find(name); at != std::string::npos) text.replace(at, name.size(), value);
  }
  return text;
}

base::Status ReadRules(const Json& json, const char* key, const char* text, std::vector<Guard::Table::Rule>& out) {
  if (!json.contains(key) || !json[key].is_array())
    return base::InvalidArgument(std::string(key) + " has to be an array");
  for (const Json& item : json[key]) {
    if (!item.is_object() || !item.contains("id") || !item["id"].is_string() || !item.contains("pattern")) {
      return base::InvalidArgument(std::string(key) + ": a rule needs id and pattern");
    }
    Guard::Table::Rule rule;
    rule.id = item["id"].get<std::string>();
    auto pattern = PatternOf(item["pattern"]);
    if (!pattern.ok())
      return base::InvalidArgument(fmt::format("{}: {}: {}", key, rule.id, pattern.status().message()));
    rule.pattern = std::move(*pattern);
    ASSIGN_OR_RETURN(rule.text, TextOf(item, text));
    if (rule.text.ko.empty()) return base::InvalidArgument(fmt::format("{}: {} needs '{}'", key, rule.id, text));
    ASSIGN_OR_RETURN(rule.instead, TextOf(item, "instead"));
    rule.from_version = item.value("from_version", "");
    if (item.contains("managed")) rule.managed = item["managed"].get<std::vector<std::string>>();
    out.push_back(std::move(rule));
  }
  return base::OkStatus();
}

}  // namespace

Result<Guard> Guard::Load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::NotFound("no guard table at " + path);
  std::stringstream text;
  text << in.rdbuf();
  Result<Guard> guard = FromText(text.str());
  if (!guard.ok()) return base::InvalidArgument(path + ": " + guard.status().message());
  return guard;
}

Result<Guard> Guard::FromText(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, base::ParseJson(text));
  if (!json.is_object()) return base::InvalidArgument("the guard table has to be an object");
  auto table = std::make_shared<Table>();
  if (json.contains("harmless")) {
    for (const Json& item : json["harmless"]) {
      ASSIGN_OR_RETURN(auto pattern, PatternOf(item));
      table->harmless.push_back(std::move(pattern));
    }
  }
  RETURN_IF_ERROR(ReadRules(json, "never", "why", table->never));
  RETURN_IF_ERROR(ReadRules(json, "data_loss", "needs", table->data_loss));
  RETURN_IF_ERROR(ReadRules(json, "refused", "reason", table->refused));
  if (json.contains("places")) {
    for (const auto& [name, place] : json["places"].items()) {
      table->places[name] = {place.value("ko", ""), place.value("en", "")};
    }
  }
  Guard guard;
  guard.table_ = std::move(table);
  return guard;
}

Verdict Guard::Check(std::string_view command, const GuardContext& context) const {
  std::string run = WithoutRemark(command);
  Verdict verdict;
  for (const auto& pattern : table_->harmless) {
    if (RE2::PartialMatch(run, *pattern)) return verdict;
  }
  for (const Table::Rule& rule : table_->never) {
    if (!RE2::PartialMatch(run, *rule.pattern)) continue;
    return {Verdict::Kind::kNever, rule.id, rule.text, {}, {}};
  }
  for (const Table::Rule& rule : table_->refused) {
    bool old =
        !rule.from_version.empty() && !context.version.empty() && !VersionBelow(context.version, rule.from_version);
    bool managed = !context.managed.empty() &&
                   std::any_of(rule.managed.begin(), rule.managed.end(),
                               [&](const std::string& name) { return name == "*" || name == context.managed; });
    if ((!old && !managed) || !RE2::PartialMatch(run, *rule.pattern)) continue;
    const LocalText& place = table_->PlaceOf(context.managed);
    std::string setting = SettingOf(run);
    LocalText instead = {Filled(rule.instead.ko, place.ko, setting), Filled(rule.instead.en, place.en, setting)};
    return {Verdict::Kind::kRefused, rule.id, rule.text, {}, instead};
  }
  for (const Table::Rule& rule : table_->data_loss) {
    if (!RE2::PartialMatch(run, *rule.pattern)) continue;
    return {Verdict::Kind::kDataLoss, rule.id, {}, rule.text, {}};
  }
  return verdict;
}

Verdict Guard::CheckText(std::string_view text, const GuardContext& context) const {
  Verdict worst;
  auto rank = [](Verdict::Kind kind) {
    switch (kind) {
      case Verdict::Kind::kOffer:
        return 0;
      case Verdict::Kind::kRefused:
        return 1;
      case Verdict::Kind::kDataLoss:
        return 2;
      case Verdict::Kind::kNever:
        return 3;
    }
    return 0;
  };
  for (size_t open = text.find('`'); open != std::string_view::npos;) {
    size_t close = text.find('`', open + 1);
    if (close == std::string_view::npos) break;
    Verdict verdict = Check(text.substr(open + 1, close - open - 1), context);
    if (rank(verdict.kind) > rank(worst.kind)) worst = verdict;
    open = text.find('`', close + 1);
  }
  return worst;
}

}  // namespace redoubt::diagnose
