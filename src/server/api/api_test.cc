#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/openapi.h"
#include "server/api/parts.h"
#include "server/api/version.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

using testing::HasSubstr;

base::Json Document() {
  base::Result<base::Json> document = base::ParseJson(OpenApiDocument());
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? *document : base::Json::object();
}

std::set<std::string> DocumentedRoutes() {
  std::set<std::string> routes;
  base::Json document = Document();
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      routes.insert(upper + " " + path);
    }
  }
  return routes;
}

TEST(OpenApiTest, DocumentsExactlyTheRoutesThatAreRegistered) {
  Parts parts;
  http::Router router;
  RegisterRoutes(router, parts);
  std::set<std::string> registered;
  for (const http::Route& route : router.routes()) registered.insert(route.method + " " + route.pattern);
  EXPECT_EQ(registered, DocumentedRoutes());
}

TEST(OpenApiTest, OperationsThatAreOpenAreTheOnesRegisteredSo) {
  Parts parts;
  http::Router router;
  RegisterRoutes(router, parts);
  base::Json document = Document();
  for (const http::Route& route : router.routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const base::Json& operation = document["paths"][route.pattern][method];
    bool documented_open = operation.contains("security") && operation["security"].empty();
    EXPECT_EQ(route.options.open, documented_open) << route.method << " " << route.pattern;
  }
}

// The name of a parameter that is used in the document or refers to one.
const base::Json& Parameter(const base::Json& document, const base::Json& given) {
  if (!given.contains("$ref")) return given;
  std::string reference = given["$ref"];
  return document["components"]["parameters"][reference.substr(reference.rfind('/') + 1)];
}

TEST(OpenApiTest, DocumentsExactlyTheParametersThatAreTaken) {
  Parts parts;
  http::Router router;
  RegisterRoutes(router, parts);
  base::Json document = Document();
  for (const http::Route& route : router.routes()) {
    if (!route.pattern.starts_with("/api/")) continue;
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const base::Json& operation = document["paths"][route.pattern][method];
    std::set<std::string> documented, taken;
    for (const base::Json& given : operation.value("parameters", base::Json::array())) {
      const base::Json& parameter = Parameter(document, given);
      if (parameter["in"] == "query" && parameter["name"] != "lang") documented.insert(parameter["name"]);
    }
    std::istringstream names{std::string(route.options.query)};
    for (std::string name; names >> name;) taken.insert(name);
    EXPECT_EQ(taken, documented) << route.method << " " << route.pattern;
  }
}

TEST(OpenApiTest, SpeaksOfTheVersionThatIsBuilt) { EXPECT_EQ(Document()["info"]["version"], kVersion); }

http::Request WithBody(std::string body) {
  http::Request request;
  request.body = std::move(body);
  request.headers["accept-language"] = "en";
  return request;
}

std::string RefusalOf(std::string text) {
  http::Request request = WithBody(std::move(text));
  Body body(request);
  body.Text("name", 5, true);
  body.Int("interval", 1, 60);
  body.Bool("on");
  body.Choice("lang", {"ko", "en"});
  body.Number("seconds", 0.5, 5);
  std::optional<http::Response> refusal = body.Refusal();
  return refusal ? refusal->body : "";
}

TEST(BodyTest, TakesWhatFits) {
  EXPECT_EQ(RefusalOf(R"({"name": "abc", "interval": 60, "on": true, "lang": "ko", "seconds": 0.5})"), "");
  EXPECT_EQ(RefusalOf(R"({"name": "abc", "interval": null})"), "");
  EXPECT_EQ(RefusalOf(R"({"name": "abc", "interval": 2.0})"), "");
}

TEST(BodyTest, RefusalsNameTheField) {
  EXPECT_THAT(RefusalOf(R"({})"), HasSubstr("Field 'name' is required"));
  EXPECT_THAT(RefusalOf(R"({"name": 5})"), HasSubstr("Field 'name' must be a string"));
  EXPECT_THAT(RefusalOf(R"({"name": "abcdef"})"), HasSubstr("'name' must not exceed 5 bytes"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "interval": 61})"),
              HasSubstr("'interval' must be a whole number from 1 to 60"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "interval": 1.5})"), HasSubstr("'interval' must be a whole number"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "interval": 1e300})"), HasSubstr("'interval'"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "on": "yes"})"), HasSubstr("'on' must be true or false"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "lang": "fr"})"), HasSubstr("'lang' must be one of: ko, en"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "seconds": 0})"), HasSubstr("'seconds' must be a number from 0.5 to 5"));
  EXPECT_THAT(RefusalOf(R"({"name": "a", "nmae": 1})"), HasSubstr("There is no field 'nmae'"));
}

TEST(BodyTest, RefusesWhatIsNoObject) {
  EXPECT_THAT(RefusalOf(""), HasSubstr("The body is empty"));
  EXPECT_THAT(RefusalOf("[1]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(RefusalOf("{\"name\": "), HasSubstr("no acceptable JSON"));
  EXPECT_THAT(RefusalOf("{\"name\": \"\xff\xfe\"}"), HasSubstr("no acceptable JSON"));
  EXPECT_THAT(RefusalOf(std::string(100000, '[')), HasSubstr("nested deeper than 32 levels"));
}

TEST(BodyTest, AnEmptyBodyMayStandForAnEmptyObject) {
  http::Request request = WithBody("");
  Body body(request, false);
  EXPECT_FALSE(body.Int("interval", 1, 60));
  EXPECT_FALSE(body.Refusal());
}

TEST(QueryTest, ChecksNumbersAndSwitches) {
  http::Request request;
  request.query = {{"limit", "7"}, {"debug", "1"}, {"lang", "en"}};
  Query query(request);
  EXPECT_EQ(query.Int("limit", 1, 10), 7);
  EXPECT_TRUE(query.On("debug"));
  EXPECT_FALSE(query.On("absent"));
  EXPECT_FALSE(query.Refusal());
}

TEST(QueryTest, RefusesWhatIsNoNumber) {
  http::Request request;
  request.query = {{"limit", "7x"}, {"lang", "en"}, {"instance", "a"}};
  Query numbers(request);
  numbers.Int("limit", 1, 10);
  EXPECT_THAT(numbers.Refusal()->body, HasSubstr("'limit' must be a whole number"));
}

}  // namespace
}  // namespace redoubt::api
