#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lang.h"

namespace redoubt::http {

class EventStream;

// A request as a handler sees it. A plain value.
struct Request {
  std::string method;                                      // "GET"; HEAD arrives as GET
  std::string path;                                        // as sent, without the query
  std::map<std::string, std::string> path_params;          // decoded: "/knowledge/{id}" gives "id"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string> headers;              // names in lower case; repeated ones joined by ", "
  std::string body;
  std::string peer;     // the client's address, for logs
  bool secure = false;  // arrived over TLS

  std::string_view Header(const std::string& lower_name) const;   // empty when absent
  std::optional<std::string> Query(std::string_view name) const;  // the first of that name
  std::optional<std::string> Cookie(std::string_view name) const;
  // ?lang=, else Accept-Language, else Korean.
  base::Lang lang() const;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Instead of `body`: bytes that live as long as the program (embedded files), sent without a copy.
  std::string_view static_body;
  // Set: an endless text/event-stream; `body` is sent first, then what comes out of the stream until it closes.
  std::shared_ptr<EventStream> events;

  Response& Set(std::string name, std::string value);
};

Response TextResponse(int status, std::string content_type, std::string body);
Response JsonResponse(int status, std::string json);
// The error form {"error":{"code","message","hint"}} that every failing call answers with.
Response ErrorResponse(base::Lang lang, int status, std::string_view code, const base::LocalText& message,
                       const base::LocalText& hint = {});

// "a%20b" -> "a b"; '+' means a blank only in queries. Nothing for a broken escape or a zero byte.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_blank);
// "a=1&b=2" in order; nothing for a broken escape.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

}  // namespace redoubt::http
