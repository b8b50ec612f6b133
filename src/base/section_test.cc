#include "base/section.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace redoubt::base {
namespace {

// Chunks that were written, handed out again.
class SectionTest : public testing::Test {
 protected:
  SectionWriter Writer() {
    return SectionWriter([this](std::span<const std::byte> chunk) {
      chunks_.emplace_back(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    });
  }
  SectionReader Reader() {
    return SectionReader([this]() -> Result<Buffer> {
      if (chunks_.empty()) return DataLoss("the file ends");
      ASSIGN_OR_RETURN(Buffer chunk, Buffer::Create(chunks_.front().size(), DefaultMemory()));
      std::ranges::copy(std::as_bytes(std::span(chunks_.front())), chunk.span().begin());
      chunks_.pop_front();
      return chunk;
    });
  }
  void WriteNumbers(uint32_t count) {
    SectionWriter writer = Writer();
    for (uint32_t i = 0; i < count; ++i) writer.Number(i);
    writer.Finish();
  }

  std::deque<std::string> chunks_;
};

TEST_F(SectionTest, ReadsWhatWasWrittenAcrossChunks) {
  const std::string text(SectionWriter::kChunkBytes * 2 + 5, 'x');
  SectionWriter writer = Writer();
  writer.Number(uint8_t{7});
  writer.Bytes(std::as_bytes(std::span(text)));
  writer.Number(1.5f);
  writer.Finish();
  EXPECT_EQ(chunks_.size(), 5u) << "three of data, the end, the checksum";
  SectionReader reader = Reader();
  EXPECT_EQ(reader.Number<uint8_t>(), 7);
  EXPECT_EQ(reader.Text(text.size()), text);
  EXPECT_EQ(reader.Number<float>(), 1.5f);
  EXPECT_TRUE(reader.Finish().ok());
}

TEST_F(SectionTest, AnEmptySectionIsOne) {
  WriteNumbers(0);
  SectionReader reader = Reader();
  EXPECT_TRUE(reader.Finish().ok());
}

TEST_F(SectionTest, NoticesAChangedBit) {
  for (size_t at : {size_t{0}, size_t{399}}) {
    chunks_.clear();
    WriteNumbers(100);
    chunks_[0][at] = static_cast<char>(chunks_[0][at] ^ 1);
    SectionReader reader = Reader();
    for (int i = 0; i < 100; ++i) (void)reader.Number<uint32_t>();
    EXPECT_FALSE(reader.failed());
    EXPECT_EQ(reader.Finish().code(), StatusCode::kDataLoss);
  }
}

TEST_F(SectionTest, FailsWhereItEndsAndAnswersZeros) {
  WriteNumbers(2);
  SectionReader reader = Reader();
  (void)reader.Number<uint64_t>();
  EXPECT_EQ(reader.Number<uint32_t>(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.Text(10), "");
  EXPECT_FALSE(reader.Finish().ok());
  EXPECT_TRUE(reader.Skip().ok()) << "the file goes on behind it";
}

TEST_F(SectionTest, WhatIsLeftOverIsDamageAndCanBeSkipped) {
  WriteNumbers(1'000'000);
  SectionReader reader = Reader();
  (void)reader.Number<uint32_t>();
  EXPECT_FALSE(reader.Finish().ok());
  EXPECT_TRUE(reader.Skip().ok());
  EXPECT_TRUE(chunks_.empty());
}

TEST_F(SectionTest, TheEndOfTheFileIsAnErrorOfTheSource) {
  WriteNumbers(10);
  chunks_.pop_back();
  SectionReader reader = Reader();
  EXPECT_FALSE(reader.Skip().ok());
}

TEST_F(SectionTest, ATextOfAnySizeTakesNoMoreThanThereIs) {
  WriteNumbers(10);
  SectionReader reader = Reader();
  EXPECT_EQ(reader.Text(SIZE_MAX / 2), "");
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace redoubt::base
