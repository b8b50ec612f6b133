#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/json.h"
#include "server/llm/provider.h"
#include "server/llm/sse_reader.h"

namespace redoubt::llm {
namespace {

using base::Json;
using base::Result;
using base::Status;

constexpr size_t kLongestErrorBody = 16 << 10;
constexpr size_t kLongestAnswer = 256 << 10;

// libcurl wants one call before the first use, on one thread.
void InitCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct CurlFree {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlFree>;
using HeaderList = std::unique_ptr<curl_slist, CurlFree>;

// What has come so far of one answer.
struct Answer {
  CURL* curl = nullptr;
  const DeltaCallback* on_delta = nullptr;
  std::string text;
  std::string error_body;
  bool done = false;      // "[DONE]" or a finish_reason was seen
  bool nonsense = false;  // an event that is no chat completion
  std::unique_ptr<SseReader> events;

  void TakeEvent(std::string_view data);
};

void Answer::TakeEvent(std::string_view data) {
  if (data == "[DONE]") {
    done = true;
    return;
  }
  Result<Json> event = base::ParseJson(data, {.max_bytes = 1 << 20, .max_depth = 16});
  if (!event.ok() || !event->is_object() || !event->contains("choices") || !(*event)["choices"].is_array()) {
    nonsense = true;
    return;
  }
  // The last event of some servers carries only usage figures and an empty list.
  if ((*event)["choices"].empty()) return;
  const Json& choice = (*event)["choices"][0];
  if (!choice.is_object()) {
    nonsense = true;
    return;
  }
  if (choice.contains("finish_reason") && choice["finish_reason"].is_string()) done = true;
  if (!choice.contains("delta") || !choice["delta"].is_object()) return;
  const Json& delta = choice["delta"];
  if (!delta.contains("content") || !delta["content"].is_string()) return;
  const std::string& piece = delta["content"].get_ref<const std::string&>();
  text += piece;
  if (*on_delta) (*on_delta)(piece);
}

// libcurl's callback; another count than the one offered ends the transfer.
size_t TakeBytes(char* bytes, size_t size, size_t count, void* user) {
  Answer& answer = *static_cast<Answer*>(user);
  std::string_view piece(bytes, size * count);
  long status = 0;
  curl_easy_getinfo(answer.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    size_t room = kLongestErrorBody - std::min(kLongestErrorBody, answer.error_body.size());
    answer.error_body.append(piece.substr(0, room));
    return piece.size();
  }
  bool fine = answer.events->Feed(piece) && answer.text.size() <= kLongestAnswer;
  if (!fine) answer.nonsense = true;
  return fine ? piece.size() : 0;
}

// The server's own words, when it answered in OpenAI's error form.
std::string ServerMessage(const std::string& body) {
  Result<Json> json = base::ParseJson(body, {.max_bytes = kLongestErrorBody, .max_depth = 16});
  if (!json.ok() || !json->is_object() || !json->contains("error")) return "";
  const Json& error = (*json)["error"];
  if (error.is_string()) return ": " + error.get<std::string>();
  if (error.is_object() && error.contains("message") && error["message"].is_string()) {
    return ": " + error["message"].get<std::string>();
  }
  return "";
}

class OpenAiProvider final : public Provider {
 public:
  explicit OpenAiProvider(OpenAiOptions options) : options_(std::move(options)) {
    while (options_.base_url.ends_with('/')) options_.base_url.pop_back();
  }

  Result<std::string> Complete(const Prompt& prompt, std::chrono::milliseconds deadline,
                               const DeltaCallback& on_delta) override;
  const std::string& name() const override { return name_; }
  const std::string& model() const override { return options_.model; }

 private:
  std::string RequestBody(const Prompt& prompt) const;
  HeaderList Headers() const;
  Status TransferError(CURLcode code, const Answer& answer, std::chrono::milliseconds deadline) const;
  Status HttpError(long status, const std::string& body) const;

  const std::string name_ = "openai-compatible";
  OpenAiOptions options_;
};

std::string OpenAiProvider::RequestBody(const Prompt& prompt) const {
  Json body = {{"model", options_.model},
               {"stream", true},
               {"temperature", 0},
               {"max_tokens", prompt.max_tokens},
               {"messages", Json::array({{{"role", "system"}, {"content", prompt.system}},
                                         {{"role", "user"}, {"content", prompt.user}}})}};
  return base::DumpJson(body);
}

HeaderList OpenAiProvider::Headers() const {
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  list = curl_slist_append(list, "Accept: text/event-stream");
  // Without it libcurl waits for "100 Continue", which small servers never send.
  list = curl_slist_append(list, "Expect:");
  if (!options_.api_key.empty()) {
    list = curl_slist_append(list, fmt::format("Authorization: Bearer {}", options_.api_key).c_str());
  }
  return HeaderList(list);
}

Status OpenAiProvider::TransferError(CURLcode code, const Answer& answer, std::chrono::milliseconds deadline) const {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return base::DeadlineExceeded(
        fmt::format("the language model at {} gave no whole answer within {} ms", options_.base_url, deadline.count()));
  }
  if (answer.nonsense || code == CURLE_WRITE_ERROR) {
    return base::DataLoss(fmt::format("{} answered something that is no chat completion", options_.base_url));
  }
  if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) {
    return base::DataLoss(fmt::format("the answer of {} broke off", options_.base_url));
  }
  return base::Unavailable(
      fmt::format("the language model at {} cannot be reached: {}", options_.base_url, curl_easy_strerror(code)));
}

Status OpenAiProvider::HttpError(long status, const std::string& body) const {
  std::string message = fmt::format("{} answered HTTP {}{}", options_.base_url, status, ServerMessage(body));
  if (status == 401 || status == 403) return base::Unauthenticated(message + "; check the key");
  if (status == 429) return base::ResourceExhausted(message);
  if (status == 404) return base::NotFound(message + "; check the base URL and the model's name");
  if (status >= 500) return base::Unavailable(message);
  return base::FailedPrecondition(message);
}

Result<std::string> OpenAiProvider::Complete(const Prompt& prompt, std::chrono::milliseconds deadline,
                                             const DeltaCallback& on_delta) {
  CurlHandle curl(curl_easy_init());
  if (!curl) return base::ResourceExhausted("no memory for a connection to the language model");
  Answer answer;
  answer.curl = curl.get();
  answer.on_delta = &on_delta;
  answer.events = std::make_unique<SseReader>([&answer](std::string_view data) { answer.TakeEvent(data); });

  std::string url = options_.base_url + "/chat/completions";
  std::string body = RequestBody(prompt);
  HeaderList headers = Headers();
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);  // a redirect would carry the key elsewhere
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(deadline.count()));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, TakeBytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);

  CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return TransferError(code, answer, deadline);
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return HttpError(status, answer.error_body);
  if (answer.nonsense) return TransferError(CURLE_WRITE_ERROR, answer, deadline);
  if (!answer.done) return TransferError(CURLE_PARTIAL_FILE, answer, deadline);
  return std::move(answer.text);
}

}  // namespace

Result<std::unique_ptr<Provider>> MakeOpenAiProvider(OpenAiOptions options) {
  if (!options.base_url.starts_with("http://") && !options.base_url.starts_with("https://")) {
    return base::InvalidArgument(
        fmt::format("language model address '{}' is neither http:// nor https://, for example http://127.0.0.1:8080/v1",
                    options.base_url));
  }
  if (options.model.empty()) return base::InvalidArgument("the language model needs a name, for example gpt-4o-mini");
  InitCurlOnce();
  return std::make_unique<OpenAiProvider>(std::move(options));
}

}  // namespace redoubt::llm
