#include "server/kb/entry.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/json.h"
#include "server/kb/condition.h"

namespace redoubt::kb {

using base::InvalidArgument;
using base::Result;
using base::Status;

namespace {

constexpr size_t kMaxCharacters = 8192;
constexpr size_t kMaxItems = 400;

template <size_t N>
bool OneOf(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <size_t N>
std::string Listed(const std::array<std::string_view, N>& words) {
  std::string out;
  for (std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

constexpr std::array<std::string_view, 11> kCategories = {"memory",      "connection",  "replication", "cluster",
                                                          "persistence", "performance", "security",    "configuration",
                                                          "client",      "crash",       "none"};
constexpr std::array<std::string_view, 5> kSeverities = {"critical", "high", "medium", "low", "none"};
constexpr std::array<std::string_view, 6> kWheres = {"redis-cli",   "sentinel", "shell",
                                                     "config-file", "client",   "provider"};
constexpr std::array<std::string_view, 4> kRisks = {"read", "low", "high", "data-loss"};
constexpr std::array<const char*, 5> kTextLists = {"symptoms", "root_causes", "diagnosis_steps", "solutions",
                                                   "prevention"};
constexpr std::array<std::string_view, 3> kUses = {"fix", "check", "verify"};
constexpr std::array<std::string_view, 3> kAnswers = {"yes", "no", "unknown"};
constexpr std::array<std::string_view, 14> kImpacts = {
    "imminent",  "writes-refused", "reads-refused", "refused",         "some-refused",    "server-down", "data-lost",
    "intrusion", "stall",          "degraded",      "redundancy-lost", "durability-lost", "minor",       "near"};

bool TooLong(const std::string& text) {
  auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins)) > kMaxCharacters;
}

// {"ko": "...", "en": "..."}, or one of them.
bool IsLocalText(const Json& json) {
  if (!json.is_object() || json.empty()) return false;
  for (const auto& [key, value] : json.items()) {
    if ((key != "ko" && key != "en") || !value.is_string()) return false;
  }
  return true;
}

bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// A language that is not there shows the text of the other.
LocalText BothOf(const Json& json) {
  LocalText text{json.value("ko", std::string()), json.value("en", std::string())};
  if (IsBlank(text.ko)) text.ko = text.en;
  if (IsBlank(text.en)) text.en = text.ko;
  return text;
}

// Reads the fields of one object, remembers where it is, and names what it did not expect.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  Status CheckObject() const {
    if (json_.is_object()) return base::OkStatus();
    return InvalidArgument(path_.empty() ? "an entry has to be a JSON object" : path_ + " has to be an object");
  }

  // Call after every field was read.
  Status CheckUnknown() const {
    for (const auto& [key, value] : json_.items()) {
      if (!read_.contains(key)) return InvalidArgument(fmt::format("{}: there is no such field", At(key)));
    }
    return base::OkStatus();
  }

  Status Word(std::string_view key, std::string& out, bool required) {
    const Json* value = Find(key);
    if (value == nullptr) return required ? Missing(key) : base::OkStatus();
    if (!value->is_string()) return InvalidArgument(At(key) + " has to be a string");
    out = value->get<std::string>();
    if (TooLong(out)) return InvalidArgument(At(key) + " is longer than 8192 characters");
    if (required && IsBlank(out)) return InvalidArgument(At(key) + " is empty");
    return base::OkStatus();
  }

  template <size_t N>
  Status Choice(std::string_view key, const std::array<std::string_view, N>& words, std::string& out, bool required) {
    RETURN_IF_ERROR(Word(key, out, required));
    if (out.empty() || OneOf(words, out)) return base::OkStatus();
    return InvalidArgument(fmt::format("{}: '{}' is none of {}", At(key), out, Listed(words)));
  }

  Status Text(std::string_view key, LocalText& out, bool required) {
    const Json* value = Find(key);
    if (value == nullptr) return required ? Missing(key) : base::OkStatus();
    return ToText(*value, At(key), out);
  }

  Status Texts(std::string_view key, std::vector<LocalText>& out) {
    return Each(key, [&](const Json& item, const std::string& path) {
      LocalText text;
      RETURN_IF_ERROR(ToText(item, path, text));
      out.push_back(std::move(text));
      return base::OkStatus();
    });
  }

  Status Words(std::string_view key, std::vector<std::string>& out) {
    return Each(key, [&](const Json& item, const std::string& path) -> Status {
      if (!item.is_string()) return InvalidArgument(path + " has to be a string");
      out.push_back(item.get<std::string>());
      if (TooLong(out.back())) return InvalidArgument(path + " is longer than 8192 characters");
      return base::OkStatus();
    });
  }

  Status Patterns(std::string_view key, std::vector<std::string>& out) {
    RETURN_IF_ERROR(Words(key, out));
    for (size_t i = 0; i < out.size(); ++i) {
      RE2::Options options;
      options.set_log_errors(false);
      RE2 pattern(out[i], options);
      if (!pattern.ok()) return InvalidArgument(fmt::format("{}[{}]: {}", At(key), i, pattern.error()));
    }
    return base::OkStatus();
  }

  Status Number(std::string_view key, double& out, double low, double high, bool required) {
    const Json* value = Find(key);
    if (value == nullptr) return required ? Missing(key) : base::OkStatus();
    if (!value->is_number()) return InvalidArgument(At(key) + " has to be a number");
    out = value->get<double>();
    if (out < low || out > high) return InvalidArgument(fmt::format("{} has to lie in {}..{}", At(key), low, high));
    return base::OkStatus();
  }

  template <class Fn>
  Status Each(std::string_view key, Fn fn) {
    const Json* value = Find(key);
    if (value == nullptr) return base::OkStatus();
    if (!value->is_array()) return InvalidArgument(At(key) + " has to be an array");
    if (value->size() > kMaxItems) return InvalidArgument(fmt::format("{} has more than {} items", At(key), kMaxItems));
    for (size_t i = 0; i < value->size(); ++i) {
      RETURN_IF_ERROR(fn((*value)[i], fmt::format("{}[{}]", At(key), i)));
    }
    return base::OkStatus();
  }

  const Json* Find(std::string_view key) {
    auto it = json_.find(std::string(key));
    if (it == json_.end()) return nullptr;
    read_.insert(it.key());
    return &*it;
  }

  std::string At(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

 private:
  Status Missing(std::string_view key) const { return InvalidArgument(At(key) + " is missing"); }

  static Status ToText(const Json& value, const std::string& path, LocalText& out) {
    if (value.is_string()) {
      out.ko = out.en = value.get<std::string>();
    } else if (IsLocalText(value)) {
      out = BothOf(value);
    } else {
      return InvalidArgument(path + " has to be a string or {\"ko\": string, \"en\": string}, one of the two at least");
    }
    if (IsBlank(out.ko)) return InvalidArgument(path + " is empty");
    if (TooLong(out.ko) || TooLong(out.en)) return InvalidArgument(path + " is longer than 8192 characters");
    return base::OkStatus();
  }

  const Json& json_;
  std::string path_;
  std::set<std::string> read_;
};

Status ReadFailureMode(const Json& json, const std::string& path, FailureMode& out) {
  ObjectReader reader(json, path);
  RETURN_IF_ERROR(reader.CheckObject());
  RETURN_IF_ERROR(reader.Word("slug", out.slug, true));
  RETURN_IF_ERROR(reader.Choice("category", kCategories, out.category, true));
  RETURN_IF_ERROR(reader.Choice("severity", kSeverities, out.severity, true));
  RETURN_IF_ERROR(reader.Number("prior", out.prior, -5, 5, false));
  RETURN_IF_ERROR(reader.Text("headline", out.headline, true));
  RETURN_IF_ERROR(reader.Text("root_cause", out.root_cause, true));
  RETURN_IF_ERROR(reader.Text("first_action", out.first_action, true));
  RETURN_IF_ERROR(reader.Text("escalate_if", out.escalate_if, false));
  RETURN_IF_ERROR(reader.Word("next_check", out.next_check, true));
  RETURN_IF_ERROR(reader.Words("leads_to", out.leads_to));
  RETURN_IF_ERROR(reader.Patterns("recovery", out.recovery));
  out.writes = out.reads = out.data_at_risk = "unknown";
  if (const Json* impact = reader.Find("impact")) {
    ObjectReader inner(*impact, reader.At("impact"));
    RETURN_IF_ERROR(inner.CheckObject());
    RETURN_IF_ERROR(inner.Choice("writes", kAnswers, out.writes, true));
    RETURN_IF_ERROR(inner.Choice("reads", kAnswers, out.reads, true));
    RETURN_IF_ERROR(inner.Choice("data_at_risk", kAnswers, out.data_at_risk, true));
    RETURN_IF_ERROR(inner.CheckUnknown());
  }
  return reader.CheckUnknown();
}

Status ReadSignal(const Json& json, const std::string& path, Signal& out) {
  ObjectReader reader(json, path);
  RETURN_IF_ERROR(reader.CheckObject());
  RETURN_IF_ERROR(reader.Word("id", out.id, true));
  RETURN_IF_ERROR(reader.Word("failure_mode", out.failure_mode, true));
  RETURN_IF_ERROR(reader.Word("group", out.group, false));
  RETURN_IF_ERROR(reader.Number("weight", out.weight, -6, 6, true));
  RETURN_IF_ERROR(reader.Choice("impact", kImpacts, out.impact, false));
  RETURN_IF_ERROR(reader.Text("means", out.means, false));
  RETURN_IF_ERROR(reader.Patterns("patterns", out.patterns));
  RETURN_IF_ERROR(reader.Word("metric", out.metric, false));
  if (out.patterns.empty() == out.metric.empty()) {
    return InvalidArgument(path + " needs either patterns or a metric condition");
  }
  if (!out.metric.empty()) {
    Result<Condition> condition = Condition::Parse(out.metric);
    if (!condition.ok()) return InvalidArgument(reader.At("metric") + ": " + condition.status().message());
  }
  if (out.group.empty()) out.group = out.id;
  return reader.CheckUnknown();
}

Status ReadAction(const Json& json, const std::string& path, Action& out) {
  ObjectReader reader(json, path);
  RETURN_IF_ERROR(reader.CheckObject());
  RETURN_IF_ERROR(reader.Words("failure_modes", out.failure_modes));
  RETURN_IF_ERROR(reader.Choice("use", kUses, out.use, true));
  RETURN_IF_ERROR(reader.Text("cmd", out.cmd, true));
  RETURN_IF_ERROR(reader.Choice("where", kWheres, out.where, true));
  RETURN_IF_ERROR(reader.Choice("risk", kRisks, out.risk, true));
  RETURN_IF_ERROR(reader.Text("why", out.why, true));
  RETURN_IF_ERROR(reader.Text("check_first", out.check_first, false));
  RETURN_IF_ERROR(reader.Text("undo", out.undo, false));
  RETURN_IF_ERROR(reader.Text("expect", out.expect, out.use == "verify"));
  RETURN_IF_ERROR(reader.Word("min_version", out.min_version, false));
  RETURN_IF_ERROR(reader.Word("max_version", out.max_version, false));
  bool risky = out.risk == "high" || out.risk == "data-loss";
  if (risky && out.check_first.ko.empty()) {
    return InvalidArgument(reader.At("check_first") + " is missing: a command of risk " + out.risk + " needs it");
  }
  return reader.CheckUnknown();
}

Status ReadWarning(const Json& json, const std::string& path, Warning& out) {
  ObjectReader reader(json, path);
  RETURN_IF_ERROR(reader.CheckObject());
  RETURN_IF_ERROR(reader.Words("failure_modes", out.failure_modes));
  RETURN_IF_ERROR(reader.Text("action", out.action, true));
  RETURN_IF_ERROR(reader.Text("why", out.why, true));
  return reader.CheckUnknown();
}

template <class T, class Fn>
Status ReadList(ObjectReader& reader, std::string_view key, std::vector<T>& out, Fn fn) {
  return reader.Each(key, [&](const Json& item, const std::string& path) {
    T value;
    RETURN_IF_ERROR(fn(item, path, value));
    out.push_back(std::move(value));
    return base::OkStatus();
  });
}

// What refers to a slug has to find it in the same entry.
Status CheckReferences(const Entry& entry) {
  std::set<std::string> slugs;
  for (const FailureMode& mode : entry.failure_modes) {
    if (!slugs.insert(mode.slug).second) return InvalidArgument("failure_modes: '" + mode.slug + "' is there twice");
  }
  std::set<std::string> ids;
  for (const Signal& signal : entry.signals) {
    if (!ids.insert(signal.id).second) return InvalidArgument("signals: id '" + signal.id + "' is there twice");
    if (!slugs.contains(signal.failure_mode)) {
      return InvalidArgument(fmt::format("signals: '{}' speaks for '{}', which failure_modes does not define",
                                         signal.id, signal.failure_mode));
    }
  }
  return base::OkStatus();
}

bool ValidId(std::string_view id) {
  if (id.empty() || id.size() > 80) return false;
  return std::all_of(id.begin(), id.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

// Every text as a reader gets it: in both languages, or as the plain string of one.
Json Shown(const Json& json, std::optional<Lang> lang) {
  if (IsLocalText(json)) {
    LocalText text = BothOf(json);
    return lang ? Json(text.In(*lang)) : Json{{"ko", text.ko}, {"en", text.en}};
  }
  if (!json.is_structured()) return json;
  Json out = json.is_array() ? Json::array() : Json::object();
  for (const auto& [key, value] : json.items()) {
    if (json.is_array()) {
      out.push_back(Shown(value, lang));
    } else {
      out[key] = Shown(value, lang);
    }
  }
  return out;
}

// The language that "languages" names alone, as in an answer that is sent back: the other one only stood in there.
std::string OnlyLanguage(const Json& json) {
  auto languages = json.find("languages");
  if (languages == json.end() || !languages->is_array() || languages->size() != 1) return "";
  const Json& only = languages->front();
  return only == "ko" || only == "en" ? only.get<std::string>() : "";
}

// A reading text as it was given; a plain string counts for both languages, or for the `only` one.
Json Given(const Json& text, const std::string& only) {
  Json given = text.is_string() ? Json{{"ko", text}, {"en", text}} : text;
  bool same = given.contains("ko") && given.contains("en") && given["ko"] == given["en"];
  return same && !only.empty() ? Json{{only, given[only]}} : given;
}

Json GivenList(const Json& json, const char* key, const std::string& only) {
  Json out = Json::array();
  for (const Json& text : json.value(key, Json::array())) out.push_back(Given(text, only));
  return out;
}

// The languages that every reading text was given in; none for an entry that mixes them.
std::vector<std::string_view> LanguagesOf(const Json& document) {
  std::vector<std::string_view> throughout;
  for (const char* lang : {"ko", "en"}) {
    auto in = [lang](const Json& text) { return !IsBlank(text.value(lang, std::string())); };
    bool all = in(document["title"]);
    for (const char* key : kTextLists) {
      all = all && std::all_of(document[key].begin(), document[key].end(), in);
    }
    if (all) throughout.push_back(lang);
  }
  return throughout;
}

// The input with its reading texts as {"ko","en"} or one of them, and every list of the form present.
std::shared_ptr<const Json> Normalised(const Json& json, const Entry& entry) {
  auto document = std::make_shared<Json>();
  const std::string only = OnlyLanguage(json);
  *document = {{"id", entry.id},
               {"category", entry.category},
               {"severity", entry.severity},
               {"title", Given(json["title"], only)},
               {"related_metrics", entry.related_metrics},
               {"tags", entry.tags}};
  for (const char* key : kTextLists) (*document)[key] = GivenList(json, key, only);
  for (const char* key : {"failure_modes", "signals", "actions", "do_not"}) {
    (*document)[key] = json.contains(key) ? json[key] : Json::array();
  }
  return document;
}

}  // namespace

std::string_view OriginName(Origin origin) {
  static constexpr std::array<std::string_view, 3> kNames = {"file", "edited", "user"};
  return kNames[static_cast<size_t>(origin)];
}

bool IsCategory(std::string_view text) { return OneOf(kCategories, text); }
bool IsSeverity(std::string_view text) { return OneOf(kSeverities, text); }

Result<Entry> EntryFromJson(const Json& json) {
  Entry entry;
  ObjectReader reader(json, "");
  RETURN_IF_ERROR(reader.CheckObject());
  RETURN_IF_ERROR(reader.Word("id", entry.id, true));
  if (!ValidId(entry.id)) return InvalidArgument("id: use up to 80 letters, digits, '-', '_' and '.'");
  RETURN_IF_ERROR(reader.Choice("category", kCategories, entry.category, true));
  RETURN_IF_ERROR(reader.Choice("severity", kSeverities, entry.severity, true));
  RETURN_IF_ERROR(reader.Text("title", entry.title, true));
  RETURN_IF_ERROR(reader.Texts("symptoms", entry.symptoms));
  RETURN_IF_ERROR(reader.Texts("root_causes", entry.root_causes));
  RETURN_IF_ERROR(reader.Texts("diagnosis_steps", entry.diagnosis_steps));
  RETURN_IF_ERROR(reader.Texts("solutions", entry.solutions));
  RETURN_IF_ERROR(reader.Texts("prevention", entry.prevention));
  RETURN_IF_ERROR(reader.Words("related_metrics", entry.related_metrics));
  RETURN_IF_ERROR(reader.Words("tags", entry.tags));
  RETURN_IF_ERROR(ReadList(reader, "failure_modes", entry.failure_modes, ReadFailureMode));
  RETURN_IF_ERROR(ReadList(reader, "signals", entry.signals, ReadSignal));
  RETURN_IF_ERROR(ReadList(reader, "actions", entry.actions, ReadAction));
  RETURN_IF_ERROR(ReadList(reader, "do_not", entry.do_not, ReadWarning));
  // What the API adds when it shows an entry may come back with an update.
  for (const char* shown : {"source", "conflict", "file", "languages"}) reader.Find(shown);
  RETURN_IF_ERROR(reader.CheckUnknown());
  RETURN_IF_ERROR(CheckReferences(entry));
  entry.document = Normalised(json, entry);
  return entry;
}

Json EntryToJson(const Entry& entry, std::optional<Lang> flatten) {
  Json out = Shown(*entry.document, flatten);
  out["source"] = OriginName(entry.origin);
  out["conflict"] = entry.conflict;
  out["file"] = entry.file.empty() ? Json() : Json(entry.file);
  out["languages"] = LanguagesOf(*entry.document);
  return out;
}

}  // namespace redoubt::kb
