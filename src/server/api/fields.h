#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "server/http/message.h"

namespace redoubt::api {

// Reads and checks what a caller sent. Each getter takes a field's rule; the first fault is kept, so a handler reads
// all its fields and asks once:
//
//   Body body(request);
//   int64_t interval = body.Int("interval", 1, 60).value_or(5);
//   if (auto refusal = body.Refusal()) return *refusal;
class Fields {
 public:
  std::optional<std::string> Text(const std::string& name, size_t max_bytes, bool required = false);
  std::optional<std::string> Choice(const std::string& name, std::initializer_list<std::string_view> choices);
  std::optional<int64_t> Int(const std::string& name, int64_t min, int64_t max, bool required = false);
  std::optional<double> Number(const std::string& name, double min, double max);
  // A text: an RFC 3339 time or milliseconds since 1970. Gives the latter.
  std::optional<int64_t> Time(const std::string& name);

  // Keeps `message` as the fault unless there is one already.
  void Fail(base::LocalText message, base::LocalText hint = {});

 protected:
  explicit Fields(const http::Request& request) : request_(request) {}
  ~Fields() = default;
  // The field as text, number or nothing; a wrong type is a fault of its own.
  virtual std::optional<std::string> RawText(const std::string& name) = 0;
  virtual std::optional<double> RawNumber(const std::string& name, bool whole) = 0;

  std::optional<http::Response> Fault() const;
  void FailField(const std::string& name, std::string_view korean, std::string_view english);

  const http::Request& request_;

 private:
  std::optional<http::Response> fault_;
};

// A JSON body. Fields that nobody read are refused by Refusal(), so that a mistyped name does not go unnoticed.
class Body final : public Fields {
 public:
  // `required` false: an empty body counts as {}.
  explicit Body(const http::Request& request, bool required = true);

  std::optional<bool> Bool(const std::string& name);
  // The field as it is; null when absent. Marks the name as known.
  const base::Json* Any(const std::string& name);
  // The whole object, for readers that check it themselves.
  const base::Json& json() const { return json_; }

  std::optional<http::Response> Refusal();

 private:
  std::optional<std::string> RawText(const std::string& name) override;
  std::optional<double> RawNumber(const std::string& name, bool whole) override;

  base::Json json_;
  std::set<std::string, std::less<>> known_;
};

// The query's parameters. Names that a route does not take were refused before its handler (RouteOptions::query).
class Query final : public Fields {
 public:
  explicit Query(const http::Request& request) : Fields(request) {}
  bool On(const std::string& name);  // "1" or "true"
  std::optional<http::Response> Refusal() const { return Fault(); }

 private:
  std::optional<std::string> RawText(const std::string& name) override;
  std::optional<double> RawNumber(const std::string& name, bool whole) override;
};

}  // namespace redoubt::api
