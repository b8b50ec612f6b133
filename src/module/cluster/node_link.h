#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "module/host/context.h"

namespace redoubt::cluster {

// What nodes ask one another. Part of the bytes on the bus: never renumber.
enum class Question : uint8_t { kSearch = 1, kDefine = 2, kStats = 3, kAggregate = 4, kTags = 5, kAlias = 6 };

// Questions and answers between the modules of a cluster's nodes, over the cluster's own bus: no further port, no
// password, encrypted where the bus is. A message may be lost, so every question has a time limit.
// Main thread only.
class NodeLink {
 public:
  // The body of an answer, or why there is none.
  using Done = std::function<void(base::Result<std::string>)>;
  // Answers a question of another node, now or later, exactly once.
  using Handler = std::function<void(std::string_view body, Done answer)>;

  // Within OnLoad, once; it lives as long as the process.
  static NodeLink& Create(host::Context& on_load);

  void Serve(Question question, Handler handler) { handlers_[question] = std::move(handler); }

  // Calls `done` exactly once, possibly before this returns: with the other node's answer, DeadlineExceeded after
  // `timeout_ms`, or Unavailable when the node cannot be reached.
  void Ask(const std::string& node_id, Question question, std::string_view body, int64_t timeout_ms, Done done);

 private:
  struct Waiting {
    Done done;
    RedisModuleTimerID timer = 0;
  };

  NodeLink() = default;
  static void OnQuestion(RedisModuleCtx* ctx, const char* sender, uint8_t type, const unsigned char* bytes,
                         uint32_t size);
  static void OnAnswer(RedisModuleCtx* ctx, const char* sender, uint8_t type, const unsigned char* bytes,
                       uint32_t size);
  static void OnTimeout(RedisModuleCtx* ctx, void* id);
  void TakeQuestion(const std::string& sender, std::string_view message);
  void TakeAnswer(std::string_view message);
  void Finish(uint64_t id, base::Result<std::string> answer);

  std::map<Question, Handler> handlers_;
  std::unordered_map<uint64_t, Waiting> waiting_;  // by the number of the question
  uint64_t last_id_ = 0;
};

}  // namespace redoubt::cluster
