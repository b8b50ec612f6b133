#include "embed/vector_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace redoubt::embed {
namespace {

using ::testing::ElementsAre;

class VectorCacheTest : public ::testing::Test {
 protected:
  // The "network" answers with the text's length and counts its calls; the "store" is a map.
  VectorSource Source(std::string model_id = "m1") {
    return {
        .model_id = std::move(model_id),
        .embed = [this](std::string_view text) -> base::Result<std::vector<float>> {
          ++runs_;
          if (text.empty()) return base::InvalidArgument("empty text");
          return std::vector<float>{static_cast<float>(text.size())};
        },
        .load = [this](const std::string& key) -> std::optional<std::vector<float>> {
          const auto it = store_.find(key);
          if (it == store_.end()) return std::nullopt;
          return it->second;
        },
        .save = [this](const std::string& key,
                       std::span<const float> v) { store_[key] = std::vector<float>(v.begin(), v.end()); },
    };
  }

  int runs_ = 0;
  std::map<std::string, std::vector<float>> store_;
};

TEST_F(VectorCacheTest, ComputesEachTextOnce) {
  VectorCache cache(Source(), 8);
  EXPECT_THAT(*cache.Get("abc"), ElementsAre(3.0f));
  EXPECT_THAT(*cache.Get("abc"), ElementsAre(3.0f));
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(cache.counts().memory_hits, 1u);
}

TEST_F(VectorCacheTest, ALaterProcessFindsTheStoredVector) {
  { (void)*VectorCache(Source(), 8).Get("abc"); }
  VectorCache later(Source(), 8);
  EXPECT_THAT(*later.Get("abc"), ElementsAre(3.0f));
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(later.counts().store_hits, 1u);
}

TEST_F(VectorCacheTest, AnotherModelNeverReadsItsVectors) {
  { (void)*VectorCache(Source("m1"), 8).Get("abc"); }
  (void)*VectorCache(Source("m2"), 8).Get("abc");
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(store_.size(), 2u);
}

TEST_F(VectorCacheTest, ForgetsWhatWasUsedLongestAgo) {
  VectorSource source = Source();
  source.load = nullptr;
  source.save = nullptr;
  VectorCache cache(source, 2);
  (void)*cache.Get("a");
  (void)*cache.Get("bb");
  (void)*cache.Get("a");
  (void)*cache.Get("ccc");  // drops bb
  EXPECT_EQ(cache.size(), 2u);
  (void)*cache.Get("a");
  EXPECT_EQ(runs_, 3);
  (void)*cache.Get("bb");
  EXPECT_EQ(runs_, 4);
}

TEST_F(VectorCacheTest, KeepsNoErrors) {
  VectorCache cache(Source(), 8);
  EXPECT_FALSE(cache.Get("").ok());
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_TRUE(store_.empty());
}

TEST_F(VectorCacheTest, KeyIsModelAndSha256) {
  VectorCache cache(Source(), 8);
  EXPECT_EQ(cache.KeyOf("abc"), "m1:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace redoubt::embed
