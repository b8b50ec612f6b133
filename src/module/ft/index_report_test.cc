#include "module/ft/index_report.h"

#include <gtest/gtest.h>

namespace redoubt::ft {
namespace {

IndexReport Sample(size_t documents) {
  IndexReport report;
  report.stats.documents = documents;
  report.stats.vector_bytes = documents * 100;
  report.stats.key_bytes = 7;
  report.stats.failures.Note("bad number", "d:1");
  report.stats.field_failures.resize(2);
  report.stats.field_failures[1].Note("bad number", "d:1");
  report.indexing = documents > 10;
  report.part_indexed = documents > 10 ? 0.5 : 1;
  report.searches = 3;
  return report;
}

TEST(IndexReportTest, ShardsAddUp) {
  IndexReport report = Sample(10);
  report.stats.field_failures[1] = {};
  report.Add(IndexReport::Decode(Sample(20).Encode()).value());
  report.Add(Sample(5));
  EXPECT_EQ(report.shards, 3u);
  EXPECT_EQ(report.stats.documents, 35u);
  EXPECT_EQ(report.stats.vector_bytes, 3500u);
  EXPECT_EQ(report.stats.key_bytes, 21u);
  EXPECT_EQ(report.stats.failures.count, 3u);
  EXPECT_EQ(report.stats.field_failures[0].count, 0u);
  EXPECT_EQ(report.stats.field_failures[1].count, 2u);
  EXPECT_EQ(report.stats.field_failures[1].last_error, "bad number");
  EXPECT_TRUE(report.indexing);
  EXPECT_DOUBLE_EQ(report.part_indexed, 2.5 / 3);
  EXPECT_EQ(report.searches, 9u);
}

TEST(IndexReportTest, RefusesEveryPrefix) {
  const std::string bytes = Sample(4).Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(IndexReport::Decode(bytes.substr(0, size)).status().code(), base::StatusCode::kDataLoss) << size;
  }
}

}  // namespace
}  // namespace redoubt::ft
