#include "embed/vector_cache.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"

namespace redoubt::embed {
namespace {

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

VectorCache::VectorCache(VectorSource source, size_t max_entries)
    : source_(std::move(source)), max_entries_(max_entries) {
  CHECK(source_.embed != nullptr);
}

std::string VectorCache::KeyOf(std::string_view text) const { return source_.model_id + ":" + Sha256Hex(text); }

base::Result<std::vector<float>> VectorCache::Get(std::string_view text) {
  const std::string key = KeyOf(text);
  if (auto hit = FindInMemory(key)) return *std::move(hit);
  if (source_.load) {
    if (auto stored = source_.load(key)) {
      Keep(key, *stored, &Counts::store_hits);
      return *std::move(stored);
    }
  }
  ASSIGN_OR_RETURN(std::vector<float> vector, source_.embed(text));
  if (source_.save) source_.save(key, vector);
  Keep(key, vector, &Counts::computed);
  return vector;
}

std::optional<std::vector<float>> VectorCache::FindInMemory(const std::string& key) {
  std::lock_guard lock(mu_);
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, it->second);
  ++counts_.memory_hits;
  return it->second->second;
}

void VectorCache::Keep(const std::string& key, const std::vector<float>& vector, uint64_t Counts::*origin) {
  std::lock_guard lock(mu_);
  ++(counts_.*origin);
  if (max_entries_ == 0 || by_key_.contains(key)) return;
  entries_.emplace_front(key, vector);
  by_key_.emplace(entries_.front().first, entries_.begin());
  if (entries_.size() > max_entries_) {
    by_key_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

VectorCache::Counts VectorCache::counts() const {
  std::lock_guard lock(mu_);
  return counts_;
}

size_t VectorCache::size() const {
  std::lock_guard lock(mu_);
  return entries_.size();
}

}  // namespace redoubt::embed
