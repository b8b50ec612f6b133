#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace redoubt::llm {

// Cuts a stream of server-sent events (WHATWG HTML §9.2) into the values of its `data:` lines, however the network
// cuts the bytes. One thread at a time.
class SseReader {
 public:
  using OnData = std::function<void(std::string_view data)>;

  explicit SseReader(OnData on_data) : on_data_(std::move(on_data)) {}

  // False when a single line grew past 1 MiB: no model sends that, so the peer speaks something else.
  bool Feed(std::string_view bytes);

 private:
  void TakeLine(std::string_view line);

  OnData on_data_;
  std::string line_;
};

}  // namespace redoubt::llm
