#include "module/cluster/message.h"

#include <gtest/gtest.h>

#include <string>

namespace redoubt::cluster {
namespace {

// As a node with a later version of the module would send it.
std::string OfAnotherVersion(std::string message) {
  message[0] = static_cast<char>(kMessageVersion + 1);
  return message + "and what that version adds";
}

TEST(MessageTest, ReadsWhatWasWritten) {
  const std::string question = WriteQuestion(7, 3, "body");
  EXPECT_EQ(ReadHead(question)->number, 7U);
  EXPECT_EQ(ReadQuestion(question)->question, 3);
  EXPECT_EQ(ReadQuestion(question)->body, "body");
  EXPECT_EQ(*ReadAnswer(WriteAnswer(7, std::string("answer"))), "answer");
  const base::Status refusal = ReadAnswer(WriteAnswer(7, base::NotFound("no such index"))).status();
  EXPECT_EQ(refusal.code(), base::StatusCode::kNotFound);
  EXPECT_EQ(refusal.message(), "no such index");
}

TEST(MessageTest, OneOfAnotherVersionIsToldByBothVersionsAndItsNumber) {
  for (const std::string& message :
       {OfAnotherVersion(WriteQuestion(9, 1, "body")), OfAnotherVersion(WriteAnswer(9, std::string("answer")))}) {
    EXPECT_EQ(ReadHead(message)->number, 9U);
    for (const base::Status& status : {ReadQuestion(message).status(), ReadAnswer(message).status()}) {
      EXPECT_EQ(status.code(), base::StatusCode::kUnimplemented);
      const std::string both = "versions " + std::to_string(kMessageVersion + 1) + " and " +
                               std::to_string(kMessageVersion) + ": load the same redisai.so";
      EXPECT_NE(status.message().find(both), std::string::npos) << status.message();
    }
  }
}

TEST(MessageTest, EveryPrefixIsDamaged) {
  const std::string answer = WriteAnswer(7, std::string("answer"));
  for (size_t size = 0; size < answer.size(); ++size) {
    EXPECT_EQ(ReadAnswer(answer.substr(0, size)).status().code(), base::StatusCode::kDataLoss) << size;
  }
  const std::string question = WriteQuestion(7, 3, "body");
  for (size_t size = 0; size < question.size(); ++size) {
    EXPECT_EQ(ReadQuestion(question.substr(0, size)).status().code(), base::StatusCode::kDataLoss) << size;
  }
}

}  // namespace
}  // namespace redoubt::cluster
