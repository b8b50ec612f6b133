#include "module/cluster/node_link.h"

#include <fmt/core.h>

#include <utility>

#include "base/check.h"
#include "module/cluster/wire.h"
#include "module/host/blocked_client.h"

namespace redoubt::cluster {
namespace {

constexpr uint8_t kQuestionType = 1;  // of messages on the bus
constexpr uint8_t kAnswerType = 2;
constexpr uint8_t kVersion = 2;  // of what is in them
// Bodies below this; the server keeps a whole message in memory on either side.
constexpr size_t kLargestBody = 512 << 20;

NodeLink* g_link = nullptr;  // the server's callbacks carry no state; never freed

bool Send(const std::string& node_id, uint8_t type, std::string_view message) {
  return RedisModule_SendClusterMessage(host::EffectsContext::raw(), node_id.c_str(), type, message.data(),
                                        static_cast<uint32_t>(message.size())) == REDISMODULE_OK;
}

void SendAnswer(const std::string& node_id, uint64_t id, const base::Result<std::string>& answer) {
  WireWriter message;
  message.Byte(kVersion);
  message.Number(id);
  const bool fits = !answer.ok() || answer->size() < kLargestBody;
  if (answer.ok() && fits) {
    message.Byte(0);
    message.Text(*answer);
  } else {
    const base::Status status = fits ? answer.status() : base::ResourceExhausted("the answer is too large: use LIMIT");
    message.Byte(static_cast<uint8_t>(status.code()));
    message.Text(status.message());
  }
  Send(node_id, kAnswerType, message.Take());  // when it is lost the other node's time limit ends the question
}

std::string_view View(const unsigned char* bytes, uint32_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

struct AnswerMessage {
  uint64_t id = 0;
  base::Result<std::string> answer = base::Internal("");
};

base::Result<AnswerMessage> ReadAnswer(std::string_view bytes) {
  WireReader reader(bytes);
  ASSIGN_OR_RETURN(uint8_t version, reader.Byte());
  if (version != kVersion) return base::Unimplemented("another version");
  AnswerMessage message;
  ASSIGN_OR_RETURN(message.id, reader.Number());
  ASSIGN_OR_RETURN(uint8_t code, reader.Byte());
  ASSIGN_OR_RETURN(std::string_view text, reader.Text());
  if (code == 0) {
    message.answer = std::string(text);
  } else {
    const bool known = code <= static_cast<uint8_t>(base::StatusCode::kInternal);
    message.answer =
        base::Status(known ? static_cast<base::StatusCode>(code) : base::StatusCode::kInternal, std::string(text));
  }
  return message;
}

}  // namespace

NodeLink& NodeLink::Create(host::Context& on_load) {
  CHECK(g_link == nullptr);
  g_link = new NodeLink;
  RedisModule_RegisterClusterMessageReceiver(on_load.raw(), kQuestionType, &OnQuestion);
  RedisModule_RegisterClusterMessageReceiver(on_load.raw(), kAnswerType, &OnAnswer);
  return *g_link;
}

void NodeLink::Ask(const std::string& node_id, Question question, std::string_view body, int64_t timeout_ms,
                   Done done) {
  if (body.size() >= kLargestBody) return done(base::ResourceExhausted("the command is too large for the cluster bus"));
  const uint64_t id = ++last_id_;
  WireWriter message;
  message.Byte(kVersion);
  message.Number(id);
  message.Byte(static_cast<uint8_t>(question));
  message.Text(body);
  if (!Send(node_id, kQuestionType, message.Take())) {
    return done(base::Unavailable("the node is not connected to this one"));
  }
  const RedisModuleTimerID timer = RedisModule_CreateTimer(host::EffectsContext::raw(), timeout_ms, &OnTimeout,
                                                           reinterpret_cast<void*>(static_cast<uintptr_t>(id)));
  waiting_[id] = {std::move(done), timer};
}

void NodeLink::Finish(uint64_t id, base::Result<std::string> answer) {
  auto found = waiting_.find(id);
  if (found == waiting_.end()) return;  // it came too late
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  if (waiting.timer != 0) RedisModule_StopTimer(host::EffectsContext::raw(), waiting.timer, nullptr);
  waiting.done(std::move(answer));
}

void NodeLink::OnTimeout(RedisModuleCtx* /*ctx*/, void* id) {
  // The server frees a timer after its callback: to stop it here would free it twice.
  if (auto found = g_link->waiting_.find(reinterpret_cast<uintptr_t>(id)); found != g_link->waiting_.end()) {
    found->second.timer = 0;
  }
  g_link->Finish(reinterpret_cast<uintptr_t>(id), base::DeadlineExceeded("the node did not answer in time"));
}

void NodeLink::OnQuestion(RedisModuleCtx* /*ctx*/, const char* sender, uint8_t /*type*/, const unsigned char* bytes,
                          uint32_t size) {
  g_link->TakeQuestion(std::string(sender, REDISMODULE_NODE_ID_LEN), View(bytes, size));
}

void NodeLink::OnAnswer(RedisModuleCtx* /*ctx*/, const char* /*sender*/, uint8_t /*type*/, const unsigned char* bytes,
                        uint32_t size) {
  g_link->TakeAnswer(View(bytes, size));
}

// A message that cannot be read is dropped: who sent it waits no longer than its time limit.
void NodeLink::TakeQuestion(const std::string& sender, std::string_view message) {
  WireReader reader(message);
  const base::Result<uint8_t> version = reader.Byte();
  const base::Result<uint64_t> id = reader.Number();
  const base::Result<uint8_t> question = reader.Byte();
  if (!version.ok() || !id.ok()) return;
  auto handler = question.ok() ? handlers_.find(static_cast<Question>(*question)) : handlers_.end();
  const base::Result<std::string_view> body = reader.Text();
  if (*version != kVersion || handler == handlers_.end() || !body.ok()) {
    SendAnswer(sender, *id, base::Unimplemented("the node runs another version of this module"));
    return;
  }
  handler->second(*body, [sender, id = *id](base::Result<std::string> answer) { SendAnswer(sender, id, answer); });
}

void NodeLink::TakeAnswer(std::string_view bytes) {
  base::Result<AnswerMessage> message = ReadAnswer(bytes);
  if (message.ok()) Finish(message->id, std::move(message->answer));
}

}  // namespace redoubt::cluster
