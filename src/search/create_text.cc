#include "search/create_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "text/stemmer.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

constexpr double kMaxWeight = 1e6;  // scores stay finite
constexpr size_t kMaxStopWords = 10'000;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<double> ParseWeight(std::string_view text) {
  const std::optional<double> weight = ParseDouble(text);
  if (!weight || *weight < 0 || *weight > kMaxWeight) return std::nullopt;
  return weight;
}

Status ParseTextField(ArgCursor& args, Field& field) {
  while (true) {
    if (args.Take("WEIGHT")) {
      ASSIGN_OR_RETURN(std::string_view text, args.Next("WEIGHT"));
      const std::optional<double> weight = ParseWeight(text);
      if (!weight) {
        return InvalidArgument(
            fmt::format("Bad arguments for weight: field `{}` needs a WEIGHT of 0 to {}", field.name, kMaxWeight));
      }
      field.text.weight = *weight;
    } else if (args.Take("NOSTEM")) {
      field.text.no_stem = true;
    } else if (args.Take("WITHSUFFIXTRIE")) {
      field.text.suffix_trie = true;
    } else if (args.Take("INDEXEMPTY")) {
      field.index_empty = true;
    } else if (args.Take("PHONETIC")) {
      return base::Unimplemented(
          fmt::format("PHONETIC is not part of this version; leave it out of field `{}`", field.name));
    } else {
      return OkStatus();
    }
  }
}

void AppendTextField(const Field& field, std::vector<std::string>& args) {
  if (field.text.no_stem) args.emplace_back("NOSTEM");
  args.insert(args.end(), {"WEIGHT", fmt::format("{}", field.text.weight)});
  if (field.text.suffix_trie) args.emplace_back("WITHSUFFIXTRIE");
  if (field.index_empty) args.emplace_back("INDEXEMPTY");
}

std::string LanguageName(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  return name;
}

bool IsLanguage(const std::string& name) {
  return name.find('\0') == std::string::npos && text::Stemmer::Create(name).has_value();
}

Result<std::string> ParseLanguage(ArgCursor& args) {
  ASSIGN_OR_RETURN(std::string_view name, args.Next("LANGUAGE"));
  std::string language = LanguageName(name);
  if (IsLanguage(language)) return language;
  return InvalidArgument(
      fmt::format("Invalid language `{}`: use english, korean, german or another of the docs", name));
}

Result<bool> TakeTextDefinition(ArgCursor& args, IndexDefinition& definition) {
  if (args.Take("LANGUAGE")) {
    ASSIGN_OR_RETURN(definition.language, ParseLanguage(args));
    return true;
  }
  if (args.Take("LANGUAGE_FIELD")) {
    ASSIGN_OR_RETURN(definition.language_field, args.Next("LANGUAGE_FIELD"));
    return true;
  }
  if (args.Take("STOPWORDS")) {
    ASSIGN_OR_RETURN(std::span<const std::string_view> words, args.NextList("STOPWORDS"));
    if (words.size() > kMaxStopWords) {
      return InvalidArgument(fmt::format("STOPWORDS takes at most {} words", kMaxStopWords));
    }
    definition.stop_words.emplace(words.begin(), words.end());
    return true;
  }
  return false;
}

void AppendTextDefinition(const IndexDefinition& definition, std::vector<std::string>& args) {
  args.insert(args.end(), {"LANGUAGE", definition.language});
  if (!definition.language_field.empty()) args.insert(args.end(), {"LANGUAGE_FIELD", definition.language_field});
  if (!definition.stop_words) return;
  args.insert(args.end(), {"STOPWORDS", std::to_string(definition.stop_words->size())});
  args.insert(args.end(), definition.stop_words->begin(), definition.stop_words->end());
}

}  // namespace redoubt::search
