#include <chrono>

#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/diagnose/analysis_store.h"
#include "server/http/router.h"
#include "server/kb/knowledge_base.h"

namespace redoubt::api {
namespace {

// Enough to fill a page after filtering.
constexpr size_t kCandidates = 200;

class Stopwatch {
 public:
  double Millis() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_).count();
  }

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

struct Wanted {
  std::string category, severity, tag;

  bool Takes(const kb::SearchHit& hit, const kb::Entry* entry) const {
    if (!category.empty() && hit.category != category) return false;
    if (!severity.empty() && hit.severity != severity) return false;
    if (tag.empty()) return true;
    return entry && std::find(entry->tags.begin(), entry->tags.end(), tag) != entry->tags.end();
  }
};

http::Response Search(const http::Request& request, const Parts& parts) {
  Body body(request);
  std::string text = body.Text("query", 4000, true).value_or("");
  std::optional<std::string> lang_text = body.Choice("lang", {"ko", "en"});
  size_t limit = static_cast<size_t>(body.Int("limit", 1, 50).value_or(10));
  Wanted wanted{body.Text("category", 40).value_or(""), body.Text("severity", 40).value_or(""),
                body.Text("tag", 100).value_or("")};
  if (!wanted.category.empty() && !kb::IsCategory(wanted.category))
    body.Fail({"없는 'category' 값입니다.", "There is no such 'category'."});
  if (!wanted.severity.empty() && !kb::IsSeverity(wanted.severity))
    body.Fail({"없는 'severity' 값입니다.", "There is no such 'severity'."});
  if (auto refusal = body.Refusal()) return *refusal;
  base::Lang lang = lang_text ? base::ParseLang(*lang_text).value_or(base::Lang::kKo) : request.lang();

  Stopwatch watch;
  bool filtered = !wanted.category.empty() || !wanted.severity.empty() || !wanted.tag.empty();
  base::Json results = base::Json::array();
  for (const kb::SearchHit& hit : parts.knowledge->Search(text, filtered ? kCandidates : limit)) {
    base::Result<std::shared_ptr<const kb::Entry>> entry = parts.knowledge->Get(hit.id);
    const kb::Entry* found = entry.ok() ? entry->get() : nullptr;
    if (!wanted.Takes(hit, found)) continue;
    results.push_back({{"id", hit.id},
                       {"title", hit.title.In(lang)},
                       {"category", hit.category},
                       {"severity", hit.severity},
                       {"score", hit.score},
                       {"why", hit.why.In(lang)},
                       {"snippet", hit.snippet.In(lang)},
                       {"tags", found ? base::Json(found->tags) : base::Json::array()}});
    if (results.size() >= limit) break;
  }
  bool by_meaning = !parts.embedding_model.empty() && parts.vectors_ready();
  return Ok({{"query", text},
             {"lang", base::LangTag(lang)},
             {"results", std::move(results)},
             {"took_ms", watch.Millis()},
             {"embedding_model", by_meaning ? base::Json(parts.embedding_model) : base::Json()}});
}

http::Response Similar(const http::Request& request, const Parts& parts) {
  Query query(request);
  std::optional<std::string> text = query.Text("q", 4000);
  std::optional<std::string> id = query.Text("analysis_id", 64);
  size_t limit = static_cast<size_t>(query.Int("limit", 1, 50).value_or(5));
  bool has_text = text && !text->empty();
  bool has_id = id && !id->empty();
  if (has_text == has_id) {
    query.Fail({"'q'와 'analysis_id' 중 정확히 하나가 필요합니다.", "Exactly one of 'q' and 'analysis_id' is needed."});
  }
  if (auto refusal = query.Refusal()) return *refusal;
  Stopwatch watch;
  auto found = has_id ? parts.analyses->SimilarTo(*id, limit) : parts.analyses->SimilarToText(*text, limit);
  if (!found.ok() && found.status().code() == base::StatusCode::kNotFound) {
    return NotFound(request, "분석", "analysis", id.value_or(""));
  }
  if (!found.ok()) return Fail(request, found.status());
  base::Json results = base::Json::array();
  for (const diagnose::SimilarAnalysis& hit : *found) {
    results.push_back({{"id", hit.row.id},
                       {"headline", hit.row.headline},
                       {"category", hit.row.category},
                       {"severity", hit.row.severity},
                       {"failure_mode", hit.row.failure_mode},
                       {"created_at", hit.row.created_at},
                       {"instance", OrNull(hit.row.instance)},
                       {"score", hit.score},
                       {"why", request.lang() == base::Lang::kKo ? hit.why_ko : hit.why_en}});
  }
  return Ok({{"results", std::move(results)}, {"took_ms", watch.Millis()}});
}

}  // namespace

void RegisterSearch(http::Router& router, const Parts& parts) {
  router.Add("POST", "/api/v1/search", [&parts](const http::Request& r) { return Search(r, parts); });
  router.Add("GET", "/api/v1/search/similar", [&parts](const http::Request& r) { return Similar(r, parts); },
             {.query = "q analysis_id limit"});
}

}  // namespace redoubt::api
