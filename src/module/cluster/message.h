#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::cluster {

// Of the messages between nodes and of the bodies in them: one more whenever either changes.
inline constexpr uint8_t kMessageVersion = 2;

// What every message begins with, whatever its version: so a node can say to whom it does not understand that it does
// not.
struct MessageHead {
  uint8_t version = kMessageVersion;
  uint64_t number = 0;  // of the question
};
base::Result<MessageHead> ReadHead(std::string_view message);

struct QuestionMessage {
  uint8_t question = 0;
  std::string_view body;  // of the message that was read
};

// Messages are laid out as docs/design/ft-cluster.md says. Reading one of another version is Unimplemented, and names
// both; one that ends too early is DataLoss.
std::string WriteQuestion(uint64_t number, uint8_t question, std::string_view body);
base::Result<QuestionMessage> ReadQuestion(std::string_view message);

std::string WriteAnswer(uint64_t number, const base::Result<std::string>& answer);
// What the other node answered, or why that cannot be known.
base::Result<std::string> ReadAnswer(std::string_view message);

}  // namespace redoubt::cluster
