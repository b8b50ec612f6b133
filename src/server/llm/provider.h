#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::llm {

struct Prompt {
  std::string system;
  std::string user;
  int max_tokens = 800;
};

using DeltaCallback = std::function<void(std::string_view)>;

// A language model behind some protocol. Complete() may run on many threads at once.
class Provider {
 public:
  virtual ~Provider() = default;

  // The whole answer; `on_delta` (may be null) sees its pieces as they arrive, on the calling thread.
  // DeadlineExceeded, Unavailable (network, 5xx), ResourceExhausted (429), Unauthenticated, DataLoss (the stream
  // broke off or made no sense).
  virtual base::Result<std::string> Complete(const Prompt& prompt, std::chrono::milliseconds deadline,
                                             const DeltaCallback& on_delta) = 0;
  virtual const std::string& name() const = 0;   // "openai-compatible"
  virtual const std::string& model() const = 0;  // "gpt-4o-mini"
};

struct OpenAiOptions {
  std::string base_url;  // "https://api.openai.com/v1", "http://127.0.0.1:8080/v1"
  std::string model;
  std::string api_key;  // empty: no Authorization header
};

// Any server that speaks POST {base_url}/chat/completions with "stream": true. InvalidArgument for a URL that is
// neither http nor https.
base::Result<std::unique_ptr<Provider>> MakeOpenAiProvider(OpenAiOptions options);

// The key from `file` when it is given, else from the environment variable `variable`; without its line end.
base::Result<std::string> ReadApiKey(const std::string& file, const std::string& variable);

}  // namespace redoubt::llm
