#include "server/diagnose/analysis_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/clock.h"
#include "base/json.h"
#include "server/store/database.h"
#include "text/bm25_index.h"
#include "text/utf8.h"

namespace redoubt::diagnose {

using base::Json;
using base::Result;
using base::Status;

namespace {

constexpr std::array<store::Migration, 2> kMigrations = {{{"analyses/1", R"sql(
  CREATE TABLE analyses (
    id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    instance TEXT NOT NULL,
    headline TEXT NOT NULL,
    severity TEXT NOT NULL,
    category TEXT NOT NULL,
    failure_mode TEXT NOT NULL,
    state TEXT NOT NULL,
    confidence REAL NOT NULL,
    signature TEXT NOT NULL,  -- the words by which like incidents are found
    input TEXT NOT NULL,      -- redacted
    reply TEXT NOT NULL,
    debug TEXT NOT NULL
  );
  CREATE INDEX analyses_category ON analyses (category, id);
)sql"},
                                                          {"analyses/2", R"sql(
  ALTER TABLE analyses ADD COLUMN metrics TEXT NOT NULL DEFAULT '{}';  -- redacted
)sql"}}};

constexpr const char* kColumns =
    "id, created_at, instance, headline, severity, category, failure_mode, state, confidence";
constexpr size_t kMaxPage = 100;
constexpr size_t kComparedAnalyses = 2'000;
constexpr size_t kSignatureBytes = 4'000;

AnalysisRow RowOf(const store::Statement& row) {
  AnalysisRow out;
  out.id = row.Text(0);
  out.created_at = row.Text(1);
  out.instance = row.Text(2);
  out.headline = row.Text(3);
  out.severity = row.Text(4);
  out.category = row.Text(5);
  out.failure_mode = row.Text(6);
  out.state = row.Text(7);
  out.confidence = row.Double(8);
  return out;
}

// What happened (slug, chain, quotes, fields) and the first words of the text.
std::string SignatureOf(const Analysis& analysis) {
  std::string out = analysis.main.failure_mode + " " + analysis.main.category + " " + analysis.main.headline;
  for (const ChainLink& link : analysis.main.chain) out += " " + link.failure_mode;
  for (const Evidence& item : analysis.main.evidence) out += " " + item.text + " " + item.field;
  out += " " + analysis.input_excerpt;
  return std::string(text::TruncateUtf8(out, kSignatureBytes));
}

}  // namespace

Result<AnalysisStore> AnalysisStore::Open(store::Database& database) {
  RETURN_IF_ERROR(database.Migrate(kMigrations));
  return AnalysisStore(database);
}

Status AnalysisStore::Save(const Analysis& analysis) {
  std::string reply = base::DumpJson(ToJson(analysis, false));
  std::string debug = analysis.debug ? base::DumpJson(*analysis.debug) : "{}";
  std::string metrics = analysis.input_metrics ? base::DumpJson(*analysis.input_metrics) : "{}";
  std::string signature = SignatureOf(analysis);
  return database_->Write([&](store::Connection& connection) -> Status {
    ASSIGN_OR_RETURN(store::Statement row,
                     connection.Prepare("INSERT INTO analyses (id, created_at, instance, headline, severity, category, "
                                        "failure_mode, state, confidence, signature, input, reply, debug, metrics) "
                                        "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"));
    const Finding& main = analysis.main;
    row.Bind(1, analysis.id).Bind(2, base::FormatUtcMillis(analysis.created_at_ms)).Bind(3, analysis.instance);
    row.Bind(4, main.headline).Bind(5, main.severity).Bind(6, main.category).Bind(7, main.failure_mode);
    row.Bind(8, main.state).Bind(9, main.confidence).Bind(10, signature).Bind(11, analysis.input_excerpt);
    return row.Bind(12, reply).Bind(13, debug).Bind(14, metrics).Run();
  });
}

Result<Json> AnalysisStore::Get(std::string_view id, bool debug) const {
  std::string key(id);
  return database_->Read([&](store::Connection& connection) -> Result<Json> {
    ASSIGN_OR_RETURN(store::Statement row,
                     connection.Prepare("SELECT reply, input, debug, metrics FROM analyses WHERE id = ?1"));
    ASSIGN_OR_RETURN(bool found, row.Bind(1, key).Step());
    if (!found) return base::NotFound(fmt::format("no analysis '{}'", key));
    ASSIGN_OR_RETURN(Json reply, base::ParseJson(row.Text(0)));
    ASSIGN_OR_RETURN(Json metrics, base::ParseJson(row.Text(3)));
    reply["input"] = {{"log_text", row.Text(1)}, {"metrics", std::move(metrics)}};
    if (debug) {
      ASSIGN_OR_RETURN(Json more, base::ParseJson(row.Text(2)));
      for (auto& [name, value] : more.items()) (name == "timings_ms" ? reply[name] : reply["engine"][name]) = value;
    }
    return reply;
  });
}

Result<AnalysisPage> AnalysisStore::List(const AnalysisFilter& filter) const {
  size_t limit = std::clamp<size_t>(filter.limit, 1, kMaxPage);
  return database_->Read([&](store::Connection& connection) -> Result<AnalysisPage> {
    ASSIGN_OR_RETURN(store::Statement rows,
                     connection.Prepare(fmt::format(
                         "SELECT {} FROM analyses WHERE (?1 = '' OR id < ?1) AND (?2 = '' OR category = ?2) "
                         "AND (?3 = '' OR severity = ?3) AND (?4 = '' OR instance = ?4) "
                         "AND (?5 = '' OR failure_mode = ?5) AND (?6 = '' OR instr(headline, ?6) > 0) "
                         "ORDER BY id DESC LIMIT ?7",
                         kColumns)));
    rows.Bind(1, filter.cursor).Bind(2, filter.category).Bind(3, filter.severity).Bind(4, filter.instance);
    rows.Bind(5, filter.failure_mode).Bind(6, filter.text).Bind(7, static_cast<int64_t>(limit + 1));
    AnalysisPage page;
    while (true) {
      ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return page;
      if (page.items.size() == limit) {
        page.next_cursor = page.items.back().id;
        return page;
      }
      page.items.push_back(RowOf(rows));
    }
  });
}

namespace {

struct Compared {
  std::vector<AnalysisRow> rows;
  std::vector<std::string> signatures;
};

Result<Compared> Recent(const store::Database& database) {
  return database.Read([&](store::Connection& connection) -> Result<Compared> {
    ASSIGN_OR_RETURN(store::Statement rows,
                     connection.Prepare(fmt::format("SELECT {}, signature FROM analyses WHERE category != 'none' OR "
                                                    "failure_mode = 'recovered' ORDER BY id DESC LIMIT ?1",
                                                    kColumns)));
    rows.Bind(1, static_cast<int64_t>(kComparedAnalyses));
    Compared out;
    while (true) {
      ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return out;
      out.rows.push_back(RowOf(rows));
      out.signatures.push_back(rows.Text(9));
    }
  });
}

// Words in common, measured against the best possible; the same failure mode counts besides.
std::vector<SimilarAnalysis> Rank(const Compared& compared, const std::string& query, const std::string& failure_mode,
                                  const std::string& leave_out, size_t k) {
  text::Bm25Index index;
  for (uint32_t i = 0; i < compared.rows.size(); ++i) index.Add(i, compared.signatures[i]);
  double best = index.MaxScore(query);
  std::vector<double> words(compared.rows.size(), 0);
  if (best > 0) {
    for (const text::Scored& scored : index.Search(query, compared.rows.size()))
      words[scored.doc] = scored.score / best;
  }
  std::vector<SimilarAnalysis> out;
  for (size_t i = 0; i < compared.rows.size(); ++i) {
    const AnalysisRow& row = compared.rows[i];
    if (row.id == leave_out) continue;
    bool same = !failure_mode.empty() && row.failure_mode == failure_mode;
    double score = std::min(1.0, (same ? 0.5 : 0.0) + words[i] * (same ? 0.5 : 0.8));
    if (score < 0.1) continue;
    SimilarAnalysis item{row, score, "", ""};
    item.why_ko = same ? "같은 장애 유형: " + failure_mode : "비슷한 증상과 기록";
    item.why_en = same ? "same failure mode: " + failure_mode : "like symptoms and log lines";
    out.push_back(std::move(item));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  if (out.size() > k) out.resize(k);
  return out;
}

}  // namespace

Result<std::vector<SimilarAnalysis>> AnalysisStore::SimilarToText(std::string_view text, size_t k) const {
  ASSIGN_OR_RETURN(Compared compared, Recent(*database_));
  return Rank(compared, std::string(text::TruncateUtf8(text, kSignatureBytes)), "", "", k);
}

Result<std::vector<SimilarAnalysis>> AnalysisStore::SimilarTo(std::string_view id, size_t k) const {
  std::string key(id);
  struct Own {
    std::string failure_mode, signature;
  };
  ASSIGN_OR_RETURN(Own own, database_->Read([&](store::Connection& connection) -> Result<Own> {
    ASSIGN_OR_RETURN(store::Statement row,
                     connection.Prepare("SELECT failure_mode, signature FROM analyses WHERE id = ?1"));
    ASSIGN_OR_RETURN(bool found, row.Bind(1, key).Step());
    if (!found) return base::NotFound(fmt::format("no analysis '{}'", key));
    return Own{row.Text(0), row.Text(1)};
  }));
  ASSIGN_OR_RETURN(Compared compared, Recent(*database_));
  return Rank(compared, own.signature, own.failure_mode, key, k);
}

}  // namespace redoubt::diagnose
