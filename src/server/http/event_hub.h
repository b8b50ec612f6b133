#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_annotations.h"

namespace redoubt::http {

// The frames on their way to one open event stream. Push() and Close() from any thread; Take() by the connection.
class EventStream {
 public:
  using Frame = std::shared_ptr<const std::string>;

  // A reader that is `max_waiting` frames behind is cut off: it connects again and starts from the present state.
  explicit EventStream(size_t max_waiting = 512) : max_waiting_(max_waiting) {}

  // False when the stream is closed.
  bool Push(Frame frame);
  void Close();

  // Called, on the pusher's thread, when Take() has something new to give or the stream closed.
  void OnReady(std::function<void()> ready);
  // What waits; `closed` tells that nothing more will come.
  std::vector<Frame> Take(bool& closed);

 private:
  const size_t max_waiting_;
  std::mutex mu_;
  std::deque<Frame> waiting_ GUARDED_BY(mu_);
  bool closed_ GUARDED_BY(mu_) = false;
  bool told_ GUARDED_BY(mu_) = false;  // ready_ was called since the last Take()
  std::function<void()> ready_ GUARDED_BY(mu_);
};

// "event: name\nid: 7\ndata: {...}\n\n"; the data must be one line.
std::string EventFrame(std::string_view name, std::string_view data, uint64_t id = 0);

// Hands each published event to every open stream that wants it. Safe on many threads.
class EventHub {
 public:
  // Empty topic or variant: all. A subscriber of topic "a" gets events of topic "a" and those without a topic.
  struct Filter {
    std::string topic;
    std::string variant;
  };

  explicit EventHub(size_t max_streams) : max_streams_(max_streams) {}

  // Null when too many are open. The stream ends with the last reference to it.
  std::shared_ptr<EventStream> Subscribe(Filter filter);
  void Publish(std::string_view name, std::string_view data, std::string_view topic = {},
               std::string_view variant = {});
  void CloseAll();

  size_t open_streams() const;
  uint64_t published() const;

 private:
  struct Subscriber {
    Filter filter;
    std::weak_ptr<EventStream> stream;
  };

  const size_t max_streams_;
  mutable std::mutex mu_;
  std::vector<Subscriber> subscribers_ GUARDED_BY(mu_);
  uint64_t next_id_ GUARDED_BY(mu_) = 1;
};

}  // namespace redoubt::http
