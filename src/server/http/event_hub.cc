#include "server/http/event_hub.h"

#include <algorithm>

namespace redoubt::http {

bool EventStream::Push(Frame frame) {
  std::function<void()> ready;
  {
    std::lock_guard lock(mu_);
    if (closed_) return false;
    if (waiting_.size() >= max_waiting_) {
      waiting_.clear();
      closed_ = true;
    } else {
      waiting_.push_back(std::move(frame));
    }
    if (!told_) ready = ready_;
    told_ = true;
  }
  if (ready) ready();
  return true;
}

void EventStream::Close() {
  std::function<void()> ready;
  {
    std::lock_guard lock(mu_);
    closed_ = true;
    ready = ready_;
  }
  if (ready) ready();
}

void EventStream::OnReady(std::function<void()> ready) {
  std::lock_guard lock(mu_);
  ready_ = std::move(ready);
  told_ = false;
}

std::vector<EventStream::Frame> EventStream::Take(bool& closed) {
  std::lock_guard lock(mu_);
  std::vector<Frame> frames(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  told_ = false;
  closed = closed_;
  return frames;
}

std::string EventFrame(std::string_view name, std::string_view data, uint64_t id) {
  std::string frame;
  frame.reserve(name.size() + data.size() + 40);
  frame.append("event: ").append(name);
  if (id != 0) frame.append("\nid: ").append(std::to_string(id));
  frame.append("\ndata: ").append(data).append("\n\n");
  return frame;
}

std::shared_ptr<EventStream> EventHub::Subscribe(Filter filter) {
  std::lock_guard lock(mu_);
  std::erase_if(subscribers_, [](const Subscriber& s) { return s.stream.expired(); });
  if (subscribers_.size() >= max_streams_) return nullptr;
  auto stream = std::make_shared<EventStream>();
  subscribers_.push_back({std::move(filter), stream});
  return stream;
}

void EventHub::Publish(std::string_view name, std::string_view data, std::string_view topic, std::string_view variant) {
  auto wants = [](const std::string& asked, std::string_view offered) {
    return asked.empty() || offered.empty() || asked == offered;
  };
  std::vector<std::shared_ptr<EventStream>> streams;
  EventStream::Frame frame;
  {
    std::lock_guard lock(mu_);
    frame = std::make_shared<const std::string>(EventFrame(name, data, next_id_++));
    for (const Subscriber& subscriber : subscribers_) {
      if (!wants(subscriber.filter.topic, topic) || !wants(subscriber.filter.variant, variant)) continue;
      if (auto stream = subscriber.stream.lock()) streams.push_back(std::move(stream));
    }
  }
  for (const auto& stream : streams) stream->Push(frame);
}

void EventHub::CloseAll() {
  std::vector<Subscriber> subscribers;
  {
    std::lock_guard lock(mu_);
    subscribers.swap(subscribers_);
  }
  for (const Subscriber& subscriber : subscribers) {
    if (auto stream = subscriber.stream.lock()) stream->Close();
  }
}

size_t EventHub::open_streams() const {
  std::lock_guard lock(mu_);
  return static_cast<size_t>(
      std::count_if(subscribers_.begin(), subscribers_.end(), [](const auto& s) { return !s.stream.expired(); }));
}

uint64_t EventHub::published() const {
  std::lock_guard lock(mu_);
  return next_id_ - 1;
}

}  // namespace redoubt::http
