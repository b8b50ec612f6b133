#include "server/cli/markdown.h"

#include <fmt/core.h>

#include "base/json.h"

namespace redoubt::cli {
namespace {

using base::Json;
using base::Lang;

std::string Text(const Json& object, const char* field) {
  auto found = object.find(field);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : base::DumpJson(*found);
}

// What the words of the API are called on a Korean screen.
std::string Severity(const std::string& severity, Lang lang) {
  if (lang == Lang::kEn) return severity;
  if (severity == "critical") return "심각";
  if (severity == "high") return "높음";
  if (severity == "medium") return "보통";
  if (severity == "low") return "낮음";
  return "장애 아님";
}

std::string Confidence(double value, Lang lang) {
  bool ko = lang == Lang::kKo;
  const char* word = value >= 0.8   ? (ko ? "확실" : "certain")
                     : value >= 0.6 ? (ko ? "유력" : "likely")
                     : value >= 0.4 ? (ko ? "추정" : "presumed")
                                    : (ko ? "판단 불가" : "undecided");
  return fmt::format("{} {:.2f}", word, value);
}

class Writer {
 public:
  explicit Writer(Lang lang) : lang_(lang) {}

  void Incident(const Json& incident) {
    Line("# {}\n", Text(incident, "headline"));
    Line("**{}** · {} · `{}` · {}\n", Severity(Text(incident, "severity"), lang_), Text(incident, "category"),
         Text(incident, "failure_mode"), Confidence(incident.value("confidence", 0.0), lang_));
    Section("먼저 할 일", "First action", Text(incident, "first_action"));
    Pairs(incident, "do_not", "하지 말 것", "Do not", "action", "why");
    Evidence(incident);
    Pairs(incident, "verify", "확인", "Verify", "cmd", "expect");
    Section("요약", "Summary", Text(incident, "summary"));
    Section("원인", "Root cause", Text(incident, "root_cause"));
    Words(incident, "immediate_actions", "즉시 조치", "Immediate actions");
    Commands(incident);
    Steps(incident);
    Words(incident, "prevention", "재발 방지", "Prevention");
    Section("에스컬레이션 기준", "Escalate if", Text(incident, "escalate_if"));
    Alternatives(incident);
    Pairs(incident, "knowledge", "관련 지식", "Knowledge", "id", "title");
    Words(incident, "not_seen", "관측하지 못한 것", "Not seen");
  }

  std::string Take() { return std::move(text_); }

 private:
  template <class... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void Heading(const char* korean, const char* english) { Line("\n## {}\n", lang_ == Lang::kKo ? korean : english); }

  void Section(const char* korean, const char* english, const std::string& text) {
    if (text.empty()) return;
    Heading(korean, english);
    Line("{}", text);
  }

  void Words(const Json& object, const char* field, const char* korean, const char* english) {
    const Json& items = object.value(field, Json::array());
    if (items.empty()) return;
    Heading(korean, english);
    for (const Json& item : items) Line("- {}", item.get<std::string>());
  }

  void Pairs(const Json& object, const char* field, const char* korean, const char* english, const char* left,
             const char* right) {
    const Json& items = object.value(field, Json::array());
    if (items.empty()) return;
    Heading(korean, english);
    for (const Json& item : items) Line("- `{}`: {}", Text(item, left), Text(item, right));
  }

  void Evidence(const Json& incident) {
    const Json& items = incident.value("evidence", Json::array());
    if (items.empty()) return;
    Heading("근거", "Evidence");
    for (const Json& item : items) {
      std::string what = Text(item, "text");
      if (what.empty()) what = fmt::format("{} = {}", Text(item, "field"), Text(item, "value"));
      std::string threshold = Text(item, "threshold");
      if (!threshold.empty()) what += fmt::format(" ({} {})", lang_ == Lang::kKo ? "기준" : "threshold", threshold);
      std::string line = Text(item, "line");
      if (!line.empty()) what += fmt::format(" ({} {})", lang_ == Lang::kKo ? "행" : "line", line);
      Line("{}. [{}] {}", Text(item, "n"), Text(item, "source"), what);
    }
  }

  void Commands(const Json& incident) {
    const Json& items = incident.value("commands", Json::array());
    if (items.empty()) return;
    Heading("명령", "Commands");
    for (const Json& item : items) {
      Line("- `{}` ({}, {}): {}", Text(item, "cmd"), Text(item, "where"), Text(item, "risk"), Text(item, "why"));
      if (std::string check = Text(item, "check_first"); !check.empty()) {
        Line("  - {}: {}", lang_ == Lang::kKo ? "먼저 확인" : "check first", check);
      }
      if (std::string undo = Text(item, "undo"); !undo.empty()) {
        Line("  - {}: {}", lang_ == Lang::kKo ? "되돌리기" : "undo", undo);
      }
    }
  }

  void Steps(const Json& incident) {
    const Json& items = incident.value("steps", Json::array());
    if (items.empty()) return;
    Heading("단계", "Steps");
    int number = 1;
    for (const Json& item : items) {
      Line("{}. **{}** {}", number++, Text(item, "title"), Text(item, "detail"));
      for (const Json& command : item.value("commands", Json::array())) Line("   - `{}`", command.get<std::string>());
    }
  }

  void Alternatives(const Json& incident) {
    const Json& items = incident.value("alternatives", Json::array());
    if (items.empty()) return;
    Heading("다른 가능성", "Alternatives");
    for (const Json& item : items) {
      Line("- `{}` ({:.2f}): {}", Text(item, "failure_mode"), item.value("confidence", 0.0), Text(item, "next_check"));
    }
  }

  const Lang lang_;
  std::string text_;
};

}  // namespace

std::string AnalysisMarkdown(const Json& analysis, Lang lang) {
  Writer writer(lang);
  writer.Incident(analysis);
  std::string text = writer.Take();
  for (const Json& incident : analysis.value("incidents", Json::array())) {
    Writer further(lang);
    further.Incident(incident);
    text += "\n---\n\n" + further.Take();
  }
  return text;
}

}  // namespace redoubt::cli
