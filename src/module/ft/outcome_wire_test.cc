#include "module/ft/outcome_wire.h"

#include <gtest/gtest.h>

namespace redoubt::ft {
namespace {

search::SearchOutcome Sample() {
  search::SearchOutcome outcome;
  outcome.total = 12;
  outcome.timed_out = true;
  for (const search::SortKey& key : {search::SortKey(), search::SortKey(2.5), search::SortKey(std::string("seoul"))}) {
    search::FoundDocument document;
    document.key = "d:" + std::to_string(outcome.documents.size());
    document.distance = 0.25;
    document.score = 1.5;
    document.sort_key = key;
    document.range_distances = {0.5, 0.75};
    if (key.index() != 0) document.fields = {"name", "value"};
    if (key.index() == 2) document.payload = std::string("\0pay", 4);
    outcome.documents.push_back(document);
  }
  return outcome;
}

TEST(OutcomeWireTest, ReadsWhatWasWritten) {
  const search::SearchOutcome sent = Sample();
  const search::SearchOutcome got = DecodeOutcome(EncodeOutcome(sent)).value();
  EXPECT_EQ(got.total, 12u);
  EXPECT_TRUE(got.timed_out);
  ASSERT_EQ(got.documents.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(got.documents[i].key, sent.documents[i].key);
    EXPECT_EQ(got.documents[i].distance, 0.25);
    EXPECT_EQ(got.documents[i].score, 1.5);
    EXPECT_EQ(got.documents[i].sort_key, sent.documents[i].sort_key);
    EXPECT_EQ(got.documents[i].range_distances, sent.documents[i].range_distances);
    EXPECT_EQ(got.documents[i].fields, sent.documents[i].fields);
    EXPECT_EQ(got.documents[i].payload, sent.documents[i].payload);
  }
}

TEST(OutcomeWireTest, RefusesEveryPrefix) {
  const std::string bytes = EncodeOutcome(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeOutcome(bytes.substr(0, size)).status().code(), base::StatusCode::kDataLoss) << size;
  }
}

}  // namespace
}  // namespace redoubt::ft
