#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lang.h"
#include "base/log.h"
#include "base/result.h"
#include "server/kb/entry.h"

namespace redoubt::store {
class Database;
}

namespace redoubt::kb {

// What loading the files did; `lines` are ready to print: "✅ kb-mem-001: Redis OOM ..." or "❌ file: reason".
struct LoadReport {
  std::vector<std::string> lines;
  size_t files_found = 0;
  size_t files_loaded = 0;
  size_t files_failed = 0;
  size_t entries_total = 0;
  size_t conflicts = 0;

  std::string Summary(Lang lang) const;
};

struct SearchHit {
  std::string id;
  LocalText title;
  std::string category;
  std::string severity;
  double score = 0;   // 0..1, relative to the best possible of this query
  LocalText why;      // which words or which likeness
  LocalText snippet;  // the best matching sentence of the entry
};

struct ListFilter {
  std::string category;  // empty: all
  std::string severity;
  std::string tag;
  std::string text;  // part of id or title, either language
};

struct ImportItem {
  std::string id;
  bool ok = false;
  bool replaced = false;
  bool unchanged = false;  // nothing was written: the entry is the same already
  std::string error;
};

// Text to vector. Absent (null function): retrieval works on words alone.
struct TextEmbedding {
  std::string model_id;
  std::function<base::Result<std::vector<float>>(std::string_view)> embed;
};

// The entries from knowledge/*.json with the user's edits on top, and retrieval over them.
// Safe on many threads: readers see one consistent set of entries, writers replace it whole.
class KnowledgeBase {
 public:
  struct Deps {
    std::string dir;                      // the knowledge folder: troubleshooting/, failure_modes/
    store::Database* database = nullptr;  // null: no edits, no vector cache (kb validate, tests)
    TextEmbedding embedding;
    base::Logger logger;
  };

  // Reads files and edits. A faulty file is reported, not fatal; a missing folder is NotFound.
  static base::Result<std::unique_ptr<KnowledgeBase>> Open(Deps deps);
  ~KnowledgeBase();

  const LoadReport& report() const;

  // The vectors of all entries, from the cache or computed (seconds, once). Until it ran, retrieval uses words.
  base::Status BuildVectors();

  std::vector<std::shared_ptr<const Entry>> List(const ListFilter& filter = {}) const;
  base::Result<std::shared_ptr<const Entry>> Get(std::string_view id) const;
  // Counts up with every change of the set; lets a reader cache what it derived.
  uint64_t generation() const;

  base::Result<std::shared_ptr<const Entry>> Create(const Json& json);                       // AlreadyExists
  base::Result<std::shared_ptr<const Entry>> Update(std::string_view id, const Json& json);  // NotFound
  base::Status Delete(std::string_view id);  // a file's entry is hidden, and can be restored by Create
  // `json`: an array of entries or {"entries": [...]}. Each is taken or refused by itself.
  base::Result<std::vector<ImportItem>> BulkImport(const Json& json);

  // Writes all entries as JSON files below `dir`, in the files they came from (user's own: user_entries.json).
  base::Status Export(const std::string& dir) const;

  // At most `k` hits, best first. Without vectors BM25 alone; why says which it was.
  std::vector<SearchHit> Search(std::string_view query, size_t k) const;
  // Words only: no model call. For the engine, which has its own budget.
  std::vector<SearchHit> SearchWords(std::string_view query, size_t k) const;

 private:
  struct State;
  explicit KnowledgeBase(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::kb
