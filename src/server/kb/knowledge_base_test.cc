#include "server/kb/knowledge_base.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "server/store/database.h"

namespace redoubt::kb {
namespace {

namespace fs = std::filesystem;

class KnowledgeBaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(dir_);
    fs::create_directories(dir_ / "troubleshooting");
    Write("a.json", R"({"entries": [
      {"id": "kb-1", "category": "memory", "severity": "high", "title": {"ko": "메모리 부족", "en": "out of memory"},
       "symptoms": ["메모리가 꽉 차서 쓰기가 안 됩니다"]},
      {"id": "kb-2", "category": "cluster", "severity": "low", "title": "슬롯", "tags": ["slots"]}]})");
    auto database = store::Database::Open((dir_ / "redoubt.db").string(), {});
    ASSERT_TRUE(database.ok());
    database_ = std::move(*database);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / "troubleshooting" / name) << text;
  }

  std::unique_ptr<KnowledgeBase> Open(TextEmbedding embedding = {}) {
    auto base = KnowledgeBase::Open({dir_.string(), database_.get(), std::move(embedding), {}});
    EXPECT_TRUE(base.ok()) << base.status().message();
    return std::move(*base);
  }

  static Json Edited(const char* id, const char* title) {
    return {{"id", id}, {"category", "memory"}, {"severity", "high"}, {"title", {{"ko", title}, {"en", title}}}};
  }

  fs::path dir_;
  std::unique_ptr<store::Database> database_;
};

TEST_F(KnowledgeBaseTest, ReportsEachEntryAndEachFaultyFile) {
  Write("b.json", "{ not json");
  Write("c.json", R"([{"id": "kb-1", "category": "memory", "severity": "high", "title": "again"}])");
  auto base = Open();
  const LoadReport& report = base->report();
  EXPECT_EQ(report.files_found, 3u);
  EXPECT_EQ(report.files_loaded, 1u);
  EXPECT_EQ(report.files_failed, 2u);
  EXPECT_EQ(report.entries_total, 2u);
  EXPECT_EQ(report.lines[0], "✅ kb-1: 메모리 부족");
  EXPECT_TRUE(report.lines[2].starts_with("❌ troubleshooting/b.json: not valid JSON"));
  EXPECT_NE(report.lines[3].find("'kb-1' is already in"), std::string::npos);
}

TEST_F(KnowledgeBaseTest, AnEditSurvivesReopeningAndAnUntouchedEntryFollowsItsFile) {
  ASSERT_TRUE(Open()->Update("kb-1", Edited("kb-1", "고친 제목")).ok());
  Write("a.json", R"([{"id": "kb-1", "category": "memory", "severity": "high", "title": "새 파일"},
                      {"id": "kb-2", "category": "cluster", "severity": "low", "title": "새 슬롯"}])");
  auto base = Open();
  auto edited = base->Get("kb-1");
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ((*edited)->title.ko, "고친 제목");
  EXPECT_EQ((*edited)->origin, Origin::kEdited);
  EXPECT_TRUE((*edited)->conflict) << "the file changed under the edit";
  EXPECT_EQ(base->report().conflicts, 1u);
  EXPECT_EQ((*base->Get("kb-2"))->title.ko, "새 슬롯");
  ASSERT_TRUE(base->Update("kb-1", Edited("kb-1", "합친 제목")).ok());
  EXPECT_FALSE((*base->Get("kb-1"))->conflict) << "an edit made over the new file settles it";
}

TEST_F(KnowledgeBaseTest, DeletesHidesAndRestores) {
  auto base = Open();
  ASSERT_TRUE(base->Delete("kb-1").ok());
  EXPECT_EQ(base->Get("kb-1").status().code(), base::StatusCode::kNotFound);
  EXPECT_EQ(Open()->List().size(), 1u);
  EXPECT_EQ(base->Create(Edited("kb-2", "x")).status().code(), base::StatusCode::kAlreadyExists);
  EXPECT_TRUE(base->Create(Edited("kb-1", "돌아옴")).ok());
  ASSERT_TRUE(base->Create(Edited("mine", "내 항목")).ok());
  EXPECT_EQ((*base->Get("mine"))->origin, Origin::kUser);
  ASSERT_TRUE(base->Delete("mine").ok());
  EXPECT_FALSE(base->Get("mine").ok());
}

TEST_F(KnowledgeBaseTest, ImportsWhatIsRightAndSaysWhatIsNot) {
  auto base = Open();
  auto items = base->BulkImport({{"entries", {Edited("n1", "하나"), {{"id", "n2"}}, Edited("kb-2", "바꿈")}}});
  ASSERT_TRUE(items.ok());
  EXPECT_TRUE((*items)[0].ok);
  EXPECT_FALSE((*items)[0].replaced);
  EXPECT_EQ((*items)[1].error, "category is missing");
  EXPECT_TRUE((*items)[2].replaced);
  EXPECT_EQ(base->List().size(), 3u);
}

TEST_F(KnowledgeBaseTest, WhatSaysTheSameAsItsFileGoesOnFollowingIt) {
  auto base = Open();
  Json exported = Json::array();
  for (const auto& entry : base->List()) exported.push_back(*entry->document);
  auto items = base->BulkImport({{"entries", exported}});
  ASSERT_TRUE(items.ok());
  for (const ImportItem& item : *items) EXPECT_TRUE(item.ok && item.replaced && item.unchanged) << item.id;
  for (const auto& entry : base->List()) EXPECT_EQ(entry->origin, Origin::kFile) << entry->id;

  ASSERT_TRUE(base->Update("kb-2", Edited("kb-2", "고침")).ok());
  EXPECT_EQ((*base->Get("kb-2"))->origin, Origin::kEdited);
  items = base->BulkImport({{"entries", exported}});
  EXPECT_TRUE((*items)[0].unchanged);
  EXPECT_FALSE((*items)[1].unchanged);
  EXPECT_EQ((*base->Get("kb-2"))->origin, Origin::kFile) << "the file's own text ends the edit";
}

TEST_F(KnowledgeBaseTest, AnEntryReadInOneLanguageDoesNotWipeOutTheOther) {
  auto base = Open();
  Json shown = EntryToJson(**base->Get("kb-1"), Lang::kEn);
  auto updated = base->Update("kb-1", shown);
  EXPECT_EQ(updated.status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_TRUE(updated.status().message().starts_with("title: the entry is in both languages"))
      << updated.status().message();
  EXPECT_FALSE((*base->BulkImport({{"entries", {shown}}}))[0].ok);
  EXPECT_EQ((*base->Get("kb-1"))->title.ko, "메모리 부족");
  shown["title"] = {{"ko", "새 제목"}, {"en", "new title"}};  // the symptoms are one plain string for both
  EXPECT_TRUE(base->Update("kb-1", shown).ok());
  ASSERT_TRUE(base->Create({{"id", "list"},
                            {"category", "memory"},
                            {"severity", "low"},
                            {"title", "Redis"},
                            {"symptoms", {{{"ko", "느림"}, {"en", "slow"}}}}})
                  .ok());
  EXPECT_TRUE(
      base->Update("list", EntryToJson(**base->Get("list"), Lang::kKo)).status().message().starts_with("symptoms:"));
  EXPECT_TRUE(base->Update("list", EntryToJson(**base->Get("list"), std::nullopt)).ok());
}

TEST_F(KnowledgeBaseTest, AMixedEntryComesBackAsItWasWritten) {
  auto base = Open();
  Json mixed = Edited("mixed", "x");
  mixed["title"] = {{"ko", "제목"}};
  mixed["symptoms"] = {{{"en", "only english"}}, {{"ko", "둘"}, {"en", "both"}}};
  ASSERT_TRUE(base->Create(mixed).ok());
  Json shown = EntryToJson(**base->Get("mixed"), std::nullopt);
  EXPECT_EQ(shown["languages"], Json::array());
  shown["symptoms"].insert(shown["symptoms"].begin(), Json{{"ko", "새것"}, {"en", "new"}});
  ASSERT_TRUE(base->Update("mixed", shown).ok());
  const Json& written = *(*base->Get("mixed"))->document;
  EXPECT_EQ(written["title"], mixed["title"]);
  EXPECT_EQ(written["symptoms"][1], mixed["symptoms"][0]);
}

TEST_F(KnowledgeBaseTest, ExportWritesFilesThatLoadAgain) {
  auto base = Open();
  ASSERT_TRUE(base->Create(Edited("mine", "내 항목")).ok());
  fs::path out = dir_ / "out";
  ASSERT_TRUE(base->Export(out.string()).ok());
  auto again = KnowledgeBase::Open({out.string(), nullptr, {}, {}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->List().size(), 3u);
  EXPECT_EQ((*again)->report().files_failed, 0u);
}

TEST_F(KnowledgeBaseTest, FindsByWordsAndSaysWhichOnes) {
  auto hits = Open()->Search("메모리가 꽉 찼어요", 5);
  ASSERT_FALSE(hits.empty());
  EXPECT_EQ(hits[0].id, "kb-1");
  EXPECT_NE(hits[0].why.ko.find("메모리"), std::string::npos);
  EXPECT_GT(hits[0].score, 0.0);
  EXPECT_LE(hits[0].score, 1.0);
}

TEST_F(KnowledgeBaseTest, VectorsAreComputedOnceAndKept) {
  int calls = 0;
  TextEmbedding embedding{"test", [&](std::string_view text) -> base::Result<std::vector<float>> {
                            ++calls;
                            bool slots = text.find("슬롯") != std::string_view::npos ||
                                         text.find("shard") != std::string_view::npos;
                            return std::vector<float>{slots ? 1.0f : 0.0f, slots ? 0.0f : 1.0f};
                          }};
  auto base = Open(embedding);
  ASSERT_TRUE(base->BuildVectors().ok());
  EXPECT_EQ(base->Search("shard", 1)[0].id, "kb-2") << "close in meaning, no word in common";
  int after_first = calls;
  // The writer runs behind: a synchronous edit waits until the vectors before it are on disk.
  ASSERT_TRUE(base->Create(Edited("mine", "내 항목")).ok());
  calls = 0;
  auto again = Open(embedding);
  ASSERT_TRUE(again->BuildVectors().ok());
  EXPECT_LT(calls, after_first);
  EXPECT_LE(calls, 2) << "only the new entry's lines may be computed";
}

}  // namespace
}  // namespace redoubt::kb
