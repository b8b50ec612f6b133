#include "server/kb/entry_update.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/json.h"

namespace redoubt::kb {
namespace {

using Texts = std::vector<LocalText>;

struct TextList {
  const char* key;
  Texts Entry::*texts;
};

constexpr std::array<TextList, 5> kLists = {{{"symptoms", &Entry::symptoms},
                                             {"root_causes", &Entry::root_causes},
                                             {"diagnosis_steps", &Entry::diagnosis_steps},
                                             {"solutions", &Entry::solutions},
                                             {"prevention", &Entry::prevention}}};

bool DiffersByLanguage(const LocalText& text) { return text.ko != text.en; }

// The first reading text that was in two languages and would be one plain string; empty when there is none.
std::string FlattenedText(const Entry& before, const Json& sent) {
  if (DiffersByLanguage(before.title) && sent["title"].is_string()) return "title";
  for (const auto& [key, texts] : kLists) {
    auto list = sent.find(key);
    if (list == sent.end() || !list->is_array() || list->empty()) continue;
    // Among texts in both languages a plain string is meant for both.
    bool plain = std::all_of(list->begin(), list->end(), [](const Json& text) { return text.is_string(); });
    const Texts& old = before.*texts;
    if (plain && std::any_of(old.begin(), old.end(), DiffersByLanguage)) return key;
  }
  return "";
}

// Where `text` stood: at `index` when it is still there.
size_t PlaceOf(const LocalText& text, const Texts& old, size_t index) {
  if (index < old.size() && old[index] == text) return index;
  return static_cast<size_t>(std::find(old.begin(), old.end(), text) - old.begin());
}

void KeepLanguages(const Entry& before, Entry& after) {
  auto document = std::make_shared<Json>(*after.document);
  if (after.title == before.title) (*document)["title"] = (*before.document)["title"];
  for (const auto& [key, texts] : kLists) {
    const Texts& old = before.*texts;
    for (size_t i = 0; i < (after.*texts).size(); ++i) {
      size_t place = PlaceOf((after.*texts)[i], old, i);
      if (place < old.size()) (*document)[key][i] = (*before.document)[key][place];
    }
  }
  after.document = document;
}

}  // namespace

base::Status TakeOver(const Entry& before, const Json& sent, Entry& after) {
  std::string flattened = FlattenedText(before, sent);
  if (!flattened.empty()) {
    return base::InvalidArgument(fmt::format(
        "{}: the entry is in both languages and a plain string would replace both; send {{\"ko\", \"en\"}}, as a GET "
        "without ?lang= shows it",
        flattened));
  }
  if (sent.contains("languages")) KeepLanguages(before, after);
  return base::OkStatus();
}

}  // namespace redoubt::kb
