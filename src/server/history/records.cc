#include "server/history/records.h"

#include "base/json.h"
#include "server/store/database.h"

namespace redoubt::history {

using base::Json;
using base::Result;
using base::Status;
using store::Connection;
using store::Statement;

namespace {

constexpr store::Migration kRecordMigrations[] = {{"records/1", R"sql(
  CREATE TABLE records (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id));
)sql"}};

constexpr store::Migration kAlertMigrations[] = {{"alerts/1", R"sql(
  CREATE TABLE alerts (
    id TEXT PRIMARY KEY, instance TEXT NOT NULL, started_at_ms INTEGER NOT NULL, open INTEGER NOT NULL,
    body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX alerts_by_start ON alerts (started_at_ms);
  CREATE INDEX alerts_by_instance ON alerts (instance, started_at_ms);
  CREATE INDEX alerts_open ON alerts (id) WHERE open = 1;
)sql"}};

Result<std::vector<Json>> Bodies(Statement& statement) {
  std::vector<Json> bodies;
  for (;;) {
    ASSIGN_OR_RETURN(bool row, statement.Step());
    if (!row) return bodies;
    ASSIGN_OR_RETURN(Json body, base::ParseJson(statement.Text(0)));
    bodies.push_back(std::move(body));
  }
}

}  // namespace

Result<Records> Records::Open(store::Database& database) {
  RETURN_IF_ERROR(database.Migrate(kRecordMigrations));
  return Records(database);
}

Status Records::Put(const std::string& kind, const std::string& id, const Json& body) {
  return database_->Write([&](Connection& connection) -> Status {
    ASSIGN_OR_RETURN(Statement statement,
                     connection.Prepare("INSERT INTO records (kind, id, body) VALUES (?, ?, ?) "
                                        "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"));
    return statement.Bind(1, kind).Bind(2, id).Bind(3, base::DumpJson(body)).Run();
  });
}

Status Records::Delete(const std::string& kind, const std::string& id) {
  return database_->Write([&](Connection& connection) -> Status {
    ASSIGN_OR_RETURN(Statement statement, connection.Prepare("DELETE FROM records WHERE kind = ? AND id = ?"));
    return statement.Bind(1, kind).Bind(2, id).Run();
  });
}

Result<std::vector<Json>> Records::List(const std::string& kind) const {
  return database_->Read([&](Connection& connection) -> Result<std::vector<Json>> {
    ASSIGN_OR_RETURN(Statement statement,
                     connection.Prepare("SELECT body FROM records WHERE kind = ? ORDER BY number"));
    statement.Bind(1, kind);
    return Bodies(statement);
  });
}

Result<AlertTable> AlertTable::Open(store::Database& database) {
  RETURN_IF_ERROR(database.Migrate(kAlertMigrations));
  return AlertTable(database);
}

Status AlertTable::Save(const std::string& id, const std::string& instance, int64_t started_at_ms, bool open,
                        const Json& body) {
  return database_->Write([&](Connection& connection) -> Status {
    ASSIGN_OR_RETURN(Statement statement, connection.Prepare("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?)"));
    statement.Bind(1, id).Bind(2, instance).Bind(3, started_at_ms).Bind(4, open);
    return statement.Bind(5, base::DumpJson(body)).Run();
  });
}

Result<std::vector<Json>> AlertTable::LoadOpen() const {
  return database_->Read([](Connection& connection) -> Result<std::vector<Json>> {
    ASSIGN_OR_RETURN(Statement statement,
                     connection.Prepare("SELECT body FROM alerts WHERE open = 1 ORDER BY started_at_ms"));
    return Bodies(statement);
  });
}

Result<std::vector<Json>> AlertTable::LoadRecent(const std::string& instance, size_t limit) const {
  return database_->Read([&](Connection& connection) -> Result<std::vector<Json>> {
    std::string_view sql = instance.empty()
                               ? "SELECT body FROM alerts ORDER BY started_at_ms DESC LIMIT ?1"
                               : "SELECT body FROM alerts WHERE instance = ?2 ORDER BY started_at_ms DESC LIMIT ?1";
    ASSIGN_OR_RETURN(Statement statement, connection.Prepare(sql));
    statement.Bind(1, static_cast<int64_t>(limit));
    if (!instance.empty()) statement.Bind(2, instance);
    return Bodies(statement);
  });
}

}  // namespace redoubt::history
