#include "module/cluster/message.h"

#include <fmt/core.h>

#include "module/cluster/wire.h"

namespace redoubt::cluster {
namespace {

WireWriter Begin(uint64_t number) {
  WireWriter message;
  message.Byte(kMessageVersion);
  message.Number(number);
  return message;
}

// The message after its head.
base::Result<WireReader> ReadBody(std::string_view message) {
  WireReader reader(message);
  ASSIGN_OR_RETURN(uint8_t version, reader.Byte());
  ASSIGN_OR_RETURN(uint64_t number, reader.Number());
  (void)number;
  if (version == kMessageVersion) return reader;
  return base::Unimplemented(fmt::format(
      "the nodes run different versions of this module, whose messages have the versions {} and {}: load the "
      "same redisai.so on all of them",
      version, kMessageVersion));
}

}  // namespace

base::Result<MessageHead> ReadHead(std::string_view message) {
  WireReader reader(message);
  MessageHead head;
  ASSIGN_OR_RETURN(head.version, reader.Byte());
  ASSIGN_OR_RETURN(head.number, reader.Number());
  return head;
}

std::string WriteQuestion(uint64_t number, uint8_t question, std::string_view body) {
  WireWriter message = Begin(number);
  message.Byte(question);
  message.Text(body);
  return message.Take();
}

base::Result<QuestionMessage> ReadQuestion(std::string_view message) {
  ASSIGN_OR_RETURN(WireReader reader, ReadBody(message));
  QuestionMessage read;
  ASSIGN_OR_RETURN(read.question, reader.Byte());
  ASSIGN_OR_RETURN(read.body, reader.Text());
  return read;
}

std::string WriteAnswer(uint64_t number, const base::Result<std::string>& answer) {
  WireWriter message = Begin(number);
  message.Byte(static_cast<uint8_t>(answer.status().code()));
  message.Text(answer.ok() ? *answer : answer.status().message());
  return message.Take();
}

base::Result<std::string> ReadAnswer(std::string_view message) {
  ASSIGN_OR_RETURN(WireReader reader, ReadBody(message));
  ASSIGN_OR_RETURN(uint8_t code, reader.Byte());
  ASSIGN_OR_RETURN(std::string_view text, reader.Text());
  if (code == static_cast<uint8_t>(base::StatusCode::kOk)) return std::string(text);
  const bool known = code <= static_cast<uint8_t>(base::StatusCode::kInternal);
  return base::Status(known ? static_cast<base::StatusCode>(code) : base::StatusCode::kInternal, std::string(text));
}

}  // namespace redoubt::cluster
