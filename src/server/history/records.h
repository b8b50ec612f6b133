#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"

namespace redoubt::store {
class Database;
}

namespace redoubt::history {

// Small JSON documents by kind and id ("instance", "lab-journal", "silence", "thresholds"): each Put is committed when
// it returns. Safe on many threads.
class Records {
 public:
  static base::Result<Records> Open(store::Database& database);  // creates its table; `database` outlives it

  base::Status Put(const std::string& kind, const std::string& id, const base::Json& body);
  base::Status Delete(const std::string& kind, const std::string& id);
  base::Result<std::vector<base::Json>> List(const std::string& kind) const;  // in the order of the first Put

 private:
  explicit Records(store::Database& database) : database_(&database) {}
  store::Database* database_;
};

// Alerts as they change; the body is alert::ToRecord's JSON, which this folder does not look into.
class AlertTable {
 public:
  static base::Result<AlertTable> Open(store::Database& database);

  base::Status Save(const std::string& id, const std::string& instance, int64_t started_at_ms, bool open,
                    const base::Json& body);
  base::Result<std::vector<base::Json>> LoadOpen() const;
  base::Result<std::vector<base::Json>> LoadRecent(const std::string& instance, size_t limit) const;  // newest first

 private:
  explicit AlertTable(store::Database& database) : database_(&database) {}
  store::Database* database_;
};

}  // namespace redoubt::history
