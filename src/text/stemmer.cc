#include "text/stemmer.h"

#include <libstemmer.h>

#include <algorithm>
#include <array>

namespace redoubt::text {
namespace {

constexpr std::array<std::string_view, 3> kUnstemmed = {"chinese", "japanese", "korean"};

}  // namespace

void Stemmer::Deleter::operator()(void* stemmer) const { sb_stemmer_delete(static_cast<sb_stemmer*>(stemmer)); }

std::optional<Stemmer> Stemmer::Create(std::string_view language) {
  Stemmer stemmer;
  if (std::find(kUnstemmed.begin(), kUnstemmed.end(), language) != kUnstemmed.end()) return stemmer;
  stemmer.snowball_.reset(sb_stemmer_new(std::string(language).c_str(), "UTF_8"));
  if (stemmer.snowball_ == nullptr) return std::nullopt;
  return stemmer;
}

std::string Stemmer::Stem(const std::string& word) {
  if (snowball_ == nullptr) return word;
  auto* snowball = static_cast<sb_stemmer*>(snowball_.get());
  const sb_symbol* stem =
      sb_stemmer_stem(snowball, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
  if (stem == nullptr) return word;  // no memory for it
  return {reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(snowball))};
}

}  // namespace redoubt::text
