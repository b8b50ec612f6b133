#include "search/posting_list.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/memory.h"

namespace redoubt::search {
namespace {

using Positions = std::vector<uint32_t>;

std::map<Id, Positions> Read(const PostingList& list) {
  std::map<Id, Positions> documents;
  for (PostingList::Cursor cursor(list); !cursor.done(); cursor.Next()) {
    Positions positions;
    cursor.ReadPositions(positions);
    EXPECT_EQ(positions.size(), cursor.count());
    EXPECT_TRUE(documents.emplace(cursor.id(), positions).second);
  }
  return documents;
}

class PostingListTest : public testing::Test {
 protected:
  base::StdMemoryAdapter memory_{base::DefaultMemory()};
  PostingList list_{&memory_};
};

TEST_F(PostingListTest, KeepsPositionsInTheOrderOfIds) {
  list_.Insert(5, Positions{1});
  list_.Insert(9, Positions{0, 3, 70000});
  list_.Insert(2, Positions{4, 5});
  list_.Insert(7, Positions{200});
  const std::map<Id, Positions> expected = {{2, {4, 5}}, {5, {1}}, {7, {200}}, {9, {0, 3, 70000}}};
  EXPECT_EQ(Read(list_), expected);
  EXPECT_EQ(list_.size(), 4u);
}

TEST_F(PostingListTest, RemovesFirstLastAndMiddle) {
  for (Id id : {1u, 2u, 3u, 1000u, 4000000000u}) list_.Insert(id, Positions{id % 7});
  EXPECT_FALSE(list_.Remove(4));
  EXPECT_TRUE(list_.Remove(1));
  EXPECT_TRUE(list_.Remove(1000));
  EXPECT_TRUE(list_.Remove(4000000000u));
  EXPECT_FALSE(list_.Remove(4000000000u));
  EXPECT_EQ(Read(list_), (std::map<Id, Positions>{{2, {2}}, {3, {3}}}));
  EXPECT_TRUE(list_.Remove(2));
  EXPECT_TRUE(list_.Remove(3));
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.memory_bytes(), 0u);
}

TEST_F(PostingListTest, AscendingIdsTakeFewBytes) {
  for (Id id = 0; id < 10000; ++id) list_.Insert(id, Positions{id % 100});
  EXPECT_LT(list_.memory_bytes(), 10000u * 3);
}

TEST_F(PostingListTest, SeeksForward) {
  for (Id id = 0; id < 20000; id += 4) list_.Insert(id, Positions{1, 2});
  PostingList::Cursor cursor(list_);
  for (Id target : {0u, 1u, 5u, 4000u, 4001u, 19990u, 19996u}) {
    cursor.SeekTo(target);
    ASSERT_FALSE(cursor.done());
    EXPECT_EQ(cursor.id(), (target + 3) / 4 * 4);
  }
  cursor.SeekTo(19997);
  EXPECT_TRUE(cursor.done());
  cursor.SeekTo(5);
  EXPECT_TRUE(cursor.done());
}

TEST_F(PostingListTest, EqualsAMapUnderRandomChanges) {
  std::mt19937 random(7);
  std::map<Id, Positions> model;
  for (int round = 0; round < 20000; ++round) {
    const Id id = random() % 1500 * (random() % 50 == 0 ? 100000 : 1);
    const bool filling = round / 5000 % 2 == 0;
    if (model.contains(id) || random() % 4 == (filling ? 0u : 1u) || (!filling && random() % 2 == 0)) {
      EXPECT_EQ(list_.Remove(id), model.erase(id) > 0);
      continue;
    }
    Positions positions;
    uint32_t at = random() % 300;
    for (uint32_t i = random() % 100 == 0 ? 400 : 1 + random() % 3; i > 0; --i) {
      positions.push_back(at);
      at += 1 + random() % 200;
    }
    list_.Insert(id, positions);
    model[id] = positions;
    if (round % 500 == 0) {
      ASSERT_EQ(Read(list_), model);
    }
  }
  EXPECT_EQ(Read(list_), model);
  for (const auto& [id, positions] : model) ASSERT_TRUE(list_.Remove(id));
  EXPECT_EQ(list_.memory_bytes(), 0u);
}

}  // namespace
}  // namespace redoubt::search
