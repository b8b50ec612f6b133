#include "module/cluster/node_link.h"

#include <utility>

#include "base/check.h"
#include "module/cluster/message.h"
#include "module/host/blocked_client.h"

namespace redoubt::cluster {
namespace {

constexpr uint8_t kQuestionType = 1;  // of messages on the bus
constexpr uint8_t kAnswerType = 2;
// Bodies below this; the server keeps a whole message in memory on either side.
constexpr size_t kLargestBody = 512 << 20;

NodeLink* g_link = nullptr;  // the server's callbacks carry no state; never freed

bool Send(const std::string& node_id, uint8_t type, std::string_view message) {
  return RedisModule_SendClusterMessage(host::EffectsContext::raw(), node_id.c_str(), type, message.data(),
                                        static_cast<uint32_t>(message.size())) == REDISMODULE_OK;
}

void SendAnswer(const std::string& node_id, uint64_t number, const base::Result<std::string>& answer) {
  const bool fits = !answer.ok() || answer->size() < kLargestBody;
  // When it is lost the other node's time limit ends the question.
  Send(node_id, kAnswerType,
       WriteAnswer(number, fits ? answer : base::ResourceExhausted("the answer is too large: use LIMIT")));
}

std::string_view View(const unsigned char* bytes, uint32_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
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
  if (!Send(node_id, kQuestionType, WriteQuestion(id, static_cast<uint8_t>(question), body))) {
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

// A message without a head is dropped: who sent it waits no longer than its time limit.
void NodeLink::TakeQuestion(const std::string& sender, std::string_view message) {
  const base::Result<MessageHead> head = ReadHead(message);
  if (!head.ok()) return;
  const base::Result<QuestionMessage> read = ReadQuestion(message);
  if (!read.ok()) return SendAnswer(sender, head->number, read.status());
  auto handler = handlers_.find(static_cast<Question>(read->question));
  if (handler == handlers_.end()) {
    return SendAnswer(sender, head->number, base::Unimplemented("the node does not know this question"));
  }
  handler->second(read->body, [sender, number = head->number](const base::Result<std::string>& answer) {
    SendAnswer(sender, number, answer);
  });
}

// Also when it cannot be understood, for a question that was asked: nobody waits in vain.
void NodeLink::TakeAnswer(std::string_view message) {
  if (const base::Result<MessageHead> head = ReadHead(message); head.ok()) Finish(head->number, ReadAnswer(message));
}

}  // namespace redoubt::cluster
