#include "embed/embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "infer/backend_registry.h"

namespace redoubt::embed {
namespace {

// The model is the real one: tools/setup always makes it. One backend library per process, never unloaded.
infer::BackendRegistry& Backends() {
  static auto* const registry = [] {
    infer::BackendRegistry::Options options;
    options.directory = REDOUBT_TEST_BACKENDS;
    options.threads = 1;
    return new infer::BackendRegistry(options);
  }();
  return *registry;
}

class EmbedderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto loaded = Embedder::Load(Backends(), {.model_dir = REDOUBT_TEST_MODEL});
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    embedder_ = std::move(loaded).value().release();
  }
  static void TearDownTestSuite() {
    delete embedder_;
    embedder_ = nullptr;
  }

  static std::vector<float> Embed(std::string_view text) {
    auto vector = embedder_->Embed(text);
    EXPECT_TRUE(vector.ok()) << vector.status().ToString();
    return vector.ok() ? *vector : std::vector<float>(embedder_->dim());
  }
  static float Similarity(std::string_view a, std::string_view b) { return Cosine(Embed(a), Embed(b)); }

  static Embedder* embedder_;
};
Embedder* EmbedderTest::embedder_ = nullptr;

TEST_F(EmbedderTest, VectorsHaveLengthOne) {
  for (const char* text : {"memory", "메모리가 가득 찼습니다", "1", "used_memory:52428800"}) {
    const std::vector<float> vector = Embed(text);
    ASSERT_EQ(vector.size(), 512u);
    EXPECT_NEAR(Cosine(vector, vector), 1.0f, 1e-4) << text;
  }
}

// The first numbers that the package's own reference code computes for these sentences.
TEST_F(EmbedderTest, AgreesWithTheReferenceImplementation) {
  const std::vector<float> ko = Embed("메모리가 가득 차서 쓰기가 거부됩니다");
  const std::vector<float> en = Embed("Memory is full and writes are refused.");
  const float expected_ko[] = {-0.03966f, -0.00413f, -0.02082f, 0.05125f, -0.00583f, 0.03223f};
  const float expected_en[] = {-0.07455f, -0.02949f, -0.01662f, 0.04556f, 0.04066f, 0.00649f};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(ko[i], expected_ko[i], 2e-5);
    EXPECT_NEAR(en[i], expected_en[i], 2e-5);
  }
}

TEST_F(EmbedderTest, SameMeaningIsNearAcrossLanguages) {
  const char* ko = "메모리가 가득 차서 쓰기가 거부됩니다";
  const char* en = "Memory is full and writes are refused.";
  const char* other = "The replica lags behind its primary.";
  EXPECT_GT(Similarity(ko, en), 0.6f);
  EXPECT_LT(Similarity(ko, other), 0.35f);
  EXPECT_LT(Similarity(en, other), 0.35f);
}

TEST_F(EmbedderTest, EachKoreanSentenceIsNearestToItsTranslation) {
  const std::vector<std::pair<const char*, const char*>> pairs = {
      {"연결이 너무 많아 새 클라이언트가 거부됩니다", "New clients are refused because there are too many connections"},
      {"복제본이 마스터보다 뒤처져 있습니다", "The replica is behind the master"},
      {"디스크에 스냅샷을 저장하지 못했습니다", "The snapshot could not be saved to disk"},
      {"클라이언트가 응답을 기다리다 시간 초과되었습니다", "The client timed out waiting for a reply"},
  };
  for (size_t i = 0; i < pairs.size(); ++i) {
    const std::vector<float> ko = Embed(pairs[i].first);
    size_t best = 0;
    float best_cosine = -1;
    for (size_t j = 0; j < pairs.size(); ++j) {
      const float cosine = Cosine(ko, Embed(pairs[j].second));
      if (cosine > best_cosine) best = j, best_cosine = cosine;
    }
    EXPECT_EQ(best, i) << pairs[i].first;
  }
}

TEST_F(EmbedderTest, ReadsOnlyTheStartOfALongText) {
  std::string text;
  for (size_t i = 0; i < embedder_->max_tokens(); ++i) text += "memory ";
  EXPECT_EQ(Embed(text), Embed(text + "replication cluster timeout"));
  EXPECT_EQ(Embed(std::string(50'000'000, 'x')).size(), 512u);
}

TEST_F(EmbedderTest, RefusesAnEmptyText) {
  EXPECT_EQ(embedder_->Embed("").status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_EQ(embedder_->Embed(" \n\t ").status().code(), base::StatusCode::kInvalidArgument);
}

TEST_F(EmbedderTest, SurvivesBytesThatAreNoText) {
  EXPECT_EQ(Embed("oom \xFF\xFE\xC0 kill").size(), 512u);
  EXPECT_EQ(Embed(std::string_view("a\0b", 3)).size(), 512u);
}

TEST_F(EmbedderTest, BatchIsTheSameAsOneByOne) {
  const std::vector<std::string> texts = {"replication lag", "복제 지연", "max clients"};
  const auto batch = embedder_->EmbedBatch(texts);
  ASSERT_TRUE(batch.ok());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ((*batch)[i], Embed(texts[i]));
  EXPECT_FALSE(embedder_->EmbedBatch(std::vector<std::string>{"replication lag", ""}).ok());
}

TEST_F(EmbedderTest, ManyThreadsGetTheSameVectors) {
  const std::vector<float> expected = Embed("복제본 전체 재동기화가 반복됩니다");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) EXPECT_EQ(Embed("복제본 전체 재동기화가 반복됩니다"), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(EmbedderTest, ModelIdNamesTheWeights) {
  EXPECT_THAT(embedder_->model_id(), ::testing::MatchesRegex("use-multilingual-3-ko-en-1-[0-9a-f]{24}"));
}

class DamagedModelTest : public ::testing::Test {
 protected:
  DamagedModelTest() {
    std::filesystem::create_directories(dir_);
    for (const char* name : {"MODEL.json", "rows.bin", "tokenizer.model", "model.onnx"}) {
      std::filesystem::create_symlink(std::filesystem::path(REDOUBT_TEST_MODEL) / name, dir_ / name);
    }
  }
  ~DamagedModelTest() override { std::filesystem::remove_all(dir_); }

  void Replace(const char* name, std::string_view content) {
    std::filesystem::remove(dir_ / name);
    std::ofstream(dir_ / name, std::ios::binary) << content;
  }
  base::Status Load() { return Embedder::Load(Backends(), {.model_dir = dir_.string()}).status(); }

  const std::filesystem::path dir_ =
      std::filesystem::path(::testing::TempDir()) / ("damaged_model." + std::to_string(::getpid()));
};

TEST_F(DamagedModelTest, MissingFolderSaysWhatMakesIt) {
  std::filesystem::remove_all(dir_);
  EXPECT_EQ(Load().code(), base::StatusCode::kNotFound);
  EXPECT_NE(Load().message().find("tools/setup/fetch"), std::string::npos);
}

TEST_F(DamagedModelTest, EachFileIsChecked) {
  ASSERT_TRUE(Load().ok()) << Load().ToString();
  for (const char* name : {"MODEL.json", "rows.bin", "tokenizer.model", "model.onnx"}) {
    std::error_code ignored;
    const auto link = std::filesystem::read_symlink(dir_ / name, ignored);
    Replace(name, "{\"dim\": 512}");
    const base::Status status = Load();
    EXPECT_FALSE(status.ok()) << name;
    std::filesystem::remove(dir_ / name);
    std::filesystem::create_symlink(link, dir_ / name);
  }
}

}  // namespace
}  // namespace redoubt::embed
