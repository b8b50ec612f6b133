#include "embed/row_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace redoubt::embed {
namespace {

using ::testing::ElementsAre;

class RowTableTest : public ::testing::Test {
 protected:
  ~RowTableTest() override { std::filesystem::remove(path_); }

  void WriteRecord(float scale, float offset, std::array<uint8_t, 3> values) {
    std::ofstream file(path_, std::ios::binary | std::ios::app);
    file.write(reinterpret_cast<const char*>(&scale), sizeof scale);
    file.write(reinterpret_cast<const char*>(&offset), sizeof offset);
    file.write(reinterpret_cast<const char*>(values.data()), values.size());
  }

  const std::string path_ = ::testing::TempDir() + "row_table_test." + std::to_string(::getpid()) + ".bin";
};

TEST_F(RowTableTest, ScalesEachRowByItsOwnFactors) {
  WriteRecord(1.0f, 0.0f, {0, 1, 255});
  WriteRecord(0.5f, -2.0f, {0, 4, 6});
  const RowTable table = *RowTable::Open(path_, 2, 3);
  std::array<float, 3> row{};
  ASSERT_TRUE(table.Read(0, row).ok());
  EXPECT_THAT(row, ElementsAre(0.0f, 1.0f, 255.0f));
  ASSERT_TRUE(table.Read(1, row).ok());
  EXPECT_THAT(row, ElementsAre(-2.0f, 0.0f, 1.0f));
}

TEST_F(RowTableTest, RefusesAFileOfAnotherSize) {
  WriteRecord(1.0f, 0.0f, {1, 2, 3});
  EXPECT_EQ(RowTable::Open(path_, 2, 3).status().code(), base::StatusCode::kDataLoss);
  EXPECT_EQ(RowTable::Open(path_, 0, 3).status().code(), base::StatusCode::kDataLoss);
}

TEST_F(RowTableTest, NamesTheFileThatIsMissing) {
  const base::Status status = RowTable::Open(path_, 1, 3).status();
  EXPECT_EQ(status.code(), base::StatusCode::kNotFound);
  EXPECT_NE(status.message().find(path_), std::string::npos);
}

TEST_F(RowTableTest, AFileCutWhileOpenIsAnError) {
  WriteRecord(1.0f, 0.0f, {7, 8, 9});
  const RowTable table = *RowTable::Open(path_, 1, 3);
  std::filesystem::resize_file(path_, 5);
  std::array<float, 3> row{};
  EXPECT_EQ(table.Read(0, row).code(), base::StatusCode::kDataLoss);
}

TEST_F(RowTableTest, AMovedTableStaysReadable) {
  WriteRecord(1.0f, 0.0f, {7, 8, 9});
  RowTable first = *RowTable::Open(path_, 1, 3);
  const RowTable second = std::move(first);
  std::array<float, 3> row{};
  ASSERT_TRUE(second.Read(0, row).ok());
  EXPECT_THAT(row, ElementsAre(7.0f, 8.0f, 9.0f));
}

}  // namespace
}  // namespace redoubt::embed
