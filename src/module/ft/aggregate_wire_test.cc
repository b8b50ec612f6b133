#include "module/ft/aggregate_wire.h"

#include <gtest/gtest.h>

namespace redoubt::ft {
namespace {

using search::Value;
using search::Values;

AggregateResult Sample() {
  AggregateResult result;
  result.names = {"a", "b"};
  result.total = 12;
  result.timed_out = true;
  result.rows.resize(3);
  result.rows[0].values = {Value(2.5), Value(std::string("seoul"))};
  result.rows[1].values = {Value(), Value::Null()};
  result.rows[1].extra = {{"other", "field"}};
  result.rows[2].values = {Value(Values{Value(1.0), Value(Values{Value(std::string(1, '\0'))})}), Value(Values{})};
  return result;
}

TEST(AggregateWireTest, ReadsWhatWasWritten) {
  const AggregateResult sent = Sample();
  const AggregateResult got = DecodeRows(EncodeRows(sent).value()).value();
  EXPECT_EQ(got.names, sent.names);
  EXPECT_EQ(got.total, 12u);
  EXPECT_TRUE(got.timed_out);
  ASSERT_EQ(got.rows.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    std::string sent_key;
    std::string got_key;
    for (const Value& value : sent.rows[i].values) value.AppendKey(sent_key);
    for (const Value& value : got.rows[i].values) value.AppendKey(got_key);
    EXPECT_EQ(got_key, sent_key) << i;
    EXPECT_EQ(got.rows[i].extra, sent.rows[i].extra);
  }
  EXPECT_TRUE(got.rows[1].values[0].missing());
  EXPECT_TRUE(got.rows[1].values[1].null());
}

TEST(AggregateWireTest, RefusesEveryPrefixAndRowsOfAnotherWidth) {
  const std::string bytes = EncodeRows(Sample()).value();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeRows(bytes.substr(0, size)).status().code(), base::StatusCode::kDataLoss) << size;
  }
  AggregateResult wrong = Sample();
  wrong.names.pop_back();
  EXPECT_EQ(DecodeRows(EncodeRows(wrong).value()).status().code(), base::StatusCode::kDataLoss);
}

TEST(AggregateWireTest, ListsInListsEndSomewhere) {
  AggregateResult deep = Sample();
  Value value(1.0);
  for (int i = 0; i < 1000; ++i) value = Value(Values{value});
  deep.rows[0].values[0] = value;
  EXPECT_EQ(DecodeRows(EncodeRows(deep).value()).status().code(), base::StatusCode::kDataLoss);
}

TEST(AggregateWireTest, MoreRowsThanABoundAreRefused) {
  const base::Status refused = EncodeRows(Sample(), 40).status();
  EXPECT_EQ(refused.code(), base::StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("LIMIT"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::ft
