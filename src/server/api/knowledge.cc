#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/http/router.h"
#include "server/kb/knowledge_base.h"

namespace redoubt::api {
namespace {

using EntryPtr = std::shared_ptr<const kb::Entry>;

constexpr size_t kMaxImported = 1000;

// Texts stay {"ko","en"} unless ?lang= asks for one of them.
std::optional<base::Lang> AskedLang(const http::Request& request) {
  std::optional<std::string> text = request.Query("lang");
  return text ? base::ParseLang(*text) : std::nullopt;
}

bool ValidId(std::string_view id) {
  if (id.size() < 2 || id.size() > 64 || id.front() == '-') return false;
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string FreshId() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("kb-user-{:08x}", static_cast<uint32_t>(random()));
}

// An entry without an id gets one.
base::Json WithId(base::Json json) {
  if (json.is_object() && (!json.contains("id") || json["id"].is_null())) json["id"] = FreshId();
  return json;
}

std::string IdOf(const base::Json& json) {
  auto found = json.is_object() ? json.find("id") : json.end();
  return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The troubleshooting entries first, then the catalogue of single failure modes.
std::pair<bool, std::string_view> ListOrder(std::string_view id) { return {!id.starts_with("kb-"), id}; }

http::Response List(const http::Request& request, const Parts& parts) {
  Query query(request);
  query.Choice("lang", {"ko", "en"});
  size_t limit = static_cast<size_t>(query.Int("limit", 1, 200).value_or(50));
  std::string cursor = query.Text("cursor", 200).value_or("");
  kb::ListFilter filter;
  filter.category = query.Text("category", 40).value_or("");
  filter.severity = query.Text("severity", 40).value_or("");
  filter.tag = query.Text("tag", 100).value_or("");
  filter.text = query.Text("q", 400).value_or("");
  std::string source = query.Choice("source", {"file", "edited", "user"}).value_or("");
  if (!filter.category.empty() && !kb::IsCategory(filter.category))
    query.Fail({"없는 'category' 값입니다.", "There is no such 'category'."});
  if (!filter.severity.empty() && !kb::IsSeverity(filter.severity))
    query.Fail({"없는 'severity' 값입니다.", "There is no such 'severity'."});
  if (auto refusal = query.Refusal()) return *refusal;

  std::vector<EntryPtr> entries = parts.knowledge->List(filter);
  std::erase_if(entries,
                [&](const EntryPtr& entry) { return !source.empty() && kb::OriginName(entry->origin) != source; });
  std::sort(entries.begin(), entries.end(),
            [](const EntryPtr& a, const EntryPtr& b) { return ListOrder(a->id) < ListOrder(b->id); });
  auto from = std::upper_bound(
      entries.begin(), entries.end(), cursor,
      [](const std::string& id, const EntryPtr& entry) { return ListOrder(id) < ListOrder(entry->id); });
  if (cursor.empty()) from = entries.begin();
  base::Json page = base::Json::array();
  for (; from != entries.end() && page.size() < limit; ++from)
    page.push_back(kb::EntryToJson(**from, AskedLang(request)));
  base::Json next = from == entries.end() ? base::Json() : page.back()["id"];
  return Ok({{"entries", std::move(page)}, {"total", entries.size()}, {"next_cursor", std::move(next)}});
}

// ?as=written for editors: each text in the languages it was written in, nothing filled in.
http::Response Get(const http::Request& request, const Parts& parts) {
  Query query(request);
  bool written = query.Choice("as", {"shown", "written"}) == "written";
  if (auto refusal = query.Refusal()) return *refusal;
  const std::string& id = request.path_params.at("id");
  base::Result<EntryPtr> entry = parts.knowledge->Get(id);
  if (!entry.ok()) return NotFound(request, "지식 항목", "knowledge entry", id);
  base::Json view = kb::EntryToJson(**entry, AskedLang(request));
  if (written) view.update(*(*entry)->document);
  return Ok(view);
}

http::Response Stored(const http::Request& request, const base::Result<EntryPtr>& entry, int status) {
  if (entry.ok()) return Ok(kb::EntryToJson(**entry, AskedLang(request)), status);
  return Fail(request, entry.status());
}

// The fields' own form is the knowledge base's to check; here only what concerns HTTP.
http::Response Create(const http::Request& request, const Parts& parts) {
  Body body(request);
  for (const auto& [name, value] : body.json().items()) body.Any(name);
  if (auto refusal = body.Refusal()) return *refusal;
  base::Json json = WithId(body.json());
  if (!ValidId(IdOf(json))) {
    body.Fail({"'id' 필드는 영문 소문자, 숫자, '-'로 된 2~64자여야 합니다.",
               "Field 'id' must be 2 to 64 small letters, digits and '-'."});
    return *body.Refusal();
  }
  if (parts.knowledge->Get(IdOf(json)).ok()) {
    return http::ErrorResponse(request.lang(), 409, "already_exists",
                               {fmt::format("지식 항목 '{}'이(가) 이미 있습니다.", IdOf(json)),
                                fmt::format("Entry '{}' exists already.", IdOf(json))},
                               {"다른 id를 쓰거나 PUT으로 수정하세요.", "Choose another id, or change it with PUT."});
  }
  return Stored(request, parts.knowledge->Create(json), 201);
}

http::Response Update(const http::Request& request, const Parts& parts) {
  const std::string& id = request.path_params.at("id");
  Body body(request);
  for (const auto& [name, value] : body.json().items()) body.Any(name);
  base::Json json = body.json();
  if (IdOf(json).empty()) {
    json["id"] = id;
  } else if (IdOf(json) != id) {
    body.Fail({"'id' 필드가 경로의 id와 다릅니다.", "Field 'id' differs from the id in the path."});
  }
  if (auto refusal = body.Refusal()) return *refusal;
  if (!parts.knowledge->Get(id).ok()) return NotFound(request, "지식 항목", "knowledge entry", id);
  return Stored(request, parts.knowledge->Update(id, json), 200);
}

http::Response Delete(const http::Request& request, const Parts& parts) {
  const std::string& id = request.path_params.at("id");
  base::Status deleted = parts.knowledge->Delete(id);
  if (deleted.code() == base::StatusCode::kNotFound) return NotFound(request, "지식 항목", "knowledge entry", id);
  if (!deleted.ok()) return Fail(request, deleted);
  http::Response response;
  response.status = 204;
  return response;
}

struct Import {
  base::Json results = base::Json::array();
  size_t created = 0, updated = 0, skipped = 0, failed = 0;

  void Add(size_t index, const std::string& id, std::string_view status, const std::string& error) {
    results.push_back({{"index", index}, {"id", OrNull(id)}, {"status", status}, {"error", OrNull(error)}});
    if (status == "created") ++created;
    if (status == "updated") ++updated;
    if (status == "skipped") ++skipped;
    if (status == "failed") ++failed;
  }
};

http::Response BulkImport(const http::Request& request, const Parts& parts) {
  Body body(request);
  const base::Json* entries = body.Any("entries");
  bool overwrite = body.Choice("on_conflict", {"skip", "overwrite"}).value_or("skip") == "overwrite";
  if (!entries || !entries->is_array() || entries->empty() || entries->size() > kMaxImported) {
    body.Fail({fmt::format("'entries' 필드는 항목이 1~{}개인 배열이어야 합니다.", kMaxImported),
               fmt::format("Field 'entries' must be an array of 1 to {} entries.", kMaxImported)});
  }
  if (auto refusal = body.Refusal()) return *refusal;
  Import import;
  base::Json taken = base::Json::array();
  std::vector<size_t> indexes;
  for (size_t i = 0; i < entries->size(); ++i) {
    base::Json entry = WithId((*entries)[i]);
    std::string id = IdOf(entry);
    if (!ValidId(id)) {
      import.Add(i, id.substr(0, 64), "failed",
                 request.lang() == base::Lang::kKo ? "'id' 필드가 올바르지 않습니다." : "Field 'id' is not valid.");
    } else if (!overwrite && parts.knowledge->Get(id).ok()) {
      import.Add(i, id, "skipped",
                 request.lang() == base::Lang::kKo ? "이미 있는 id입니다." : "The id exists already.");
    } else {
      taken.push_back(std::move(entry));
      indexes.push_back(i);
    }
  }
  if (!taken.empty()) {
    base::Result<std::vector<kb::ImportItem>> items = parts.knowledge->BulkImport(taken);
    if (!items.ok()) return Fail(request, items.status());
    for (size_t i = 0; i < items->size() && i < indexes.size(); ++i) {
      const kb::ImportItem& item = (*items)[i];
      std::string id = item.id.empty() ? IdOf(taken[i]) : item.id;
      if (item.unchanged) {
        import.Add(indexes[i], id, "skipped",
                   request.lang() == base::Lang::kKo ? "내용이 이미 같습니다." : "The entry is the same already.");
      } else {
        import.Add(indexes[i], id, !item.ok ? "failed" : item.replaced ? "updated" : "created", item.error);
      }
    }
  }
  std::sort(import.results.begin(), import.results.end(), [](const base::Json& a, const base::Json& b) {
    return a["index"].get<size_t>() < b["index"].get<size_t>();
  });
  return Ok({{"total", entries->size()},
             {"created", import.created},
             {"updated", import.updated},
             {"skipped", import.skipped},
             {"failed", import.failed},
             {"results", std::move(import.results)}});
}

http::Response Export(const http::Request&, const Parts& parts) {
  base::Json entries = base::Json::array();
  for (const EntryPtr& entry : parts.knowledge->List()) entries.push_back(*entry->document);
  http::Response response = Ok({{"entries", std::move(entries)}});
  response.Set("Content-Disposition", "attachment; filename=\"redoubt-knowledge.json\"");
  return response;
}

}  // namespace

void RegisterKnowledge(http::Router& router, const Parts& parts) {
  auto with = [&parts](auto handler) {
    return [&parts, handler](const http::Request& r) { return handler(r, parts); };
  };
  router.Add("GET", "/api/v1/knowledge", with(List), {.query = "limit cursor category severity tag q source"});
  router.Add("POST", "/api/v1/knowledge", with(Create));
  router.Add("POST", "/api/v1/knowledge/bulk-import", with(BulkImport), {.max_body = parts.max_log_bytes});
  router.Add("GET", "/api/v1/knowledge/export", with(Export));
  router.Add("GET", "/api/v1/knowledge/{id}", with(Get), {.query = "as"});
  router.Add("PUT", "/api/v1/knowledge/{id}", with(Update));
  router.Add("DELETE", "/api/v1/knowledge/{id}", with(Delete));
}

}  // namespace redoubt::api
