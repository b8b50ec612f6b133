#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "server/diagnose/analysis.h"

namespace redoubt::store {
class Database;
}

namespace redoubt::diagnose {

struct AnalysisFilter {
  std::string category, severity, instance, failure_mode;  // empty: all
  std::string text;                                        // part of the headline
  size_t limit = 20;                                       // 1..100
  std::string cursor;                                      // from the page before; empty for the first
};

// A stored analysis in a list.
struct AnalysisRow {
  std::string id, created_at, instance, headline, severity, category, failure_mode, state;
  double confidence = 0;
};

struct AnalysisPage {
  std::vector<AnalysisRow> items;
  std::string next_cursor;  // empty on the last page
};

struct SimilarAnalysis {
  AnalysisRow row;
  double score = 0;  // 0..1
  std::string why_ko, why_en;
};

// The history of analyses. Save() returns when the row is on disk. Safe on many threads.
class AnalysisStore {
 public:
  // Makes the table when it is not there.
  static base::Result<AnalysisStore> Open(store::Database& database);

  base::Status Save(const Analysis& analysis);
  // The reply as it was given, with ToJson's fields, and {"input": {"log_text"}}: the redacted text. NotFound.
  base::Result<base::Json> Get(std::string_view id, bool debug = false) const;
  base::Result<AnalysisPage> List(const AnalysisFilter& filter) const;
  // Stored analyses like this text or this analysis (which is left out), best first.
  base::Result<std::vector<SimilarAnalysis>> SimilarToText(std::string_view text, size_t k) const;
  base::Result<std::vector<SimilarAnalysis>> SimilarTo(std::string_view id, size_t k) const;

 private:
  explicit AnalysisStore(store::Database& database) : database_(&database) {}
  store::Database* database_;
};

}  // namespace redoubt::diagnose
