#include "server/store/connection.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace redoubt::store {
namespace {

// Readers and the writer share the file with nobody but a second `redoubt`, which waits this long for its turn.
constexpr int kBusyTimeoutMs = 5000;

base::Status FromSqlite(sqlite3* db, int code) {
  std::string text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  const char* file = db ? sqlite3_db_filename(db, "main") : nullptr;
  std::string where = file && *file ? file : "database";
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return base::DataLoss(
          fmt::format("{} is damaged or no database ({}): move it away or restore a copy", where, text));
    case SQLITE_FULL:
      return base::ResourceExhausted(fmt::format("{}: no space left on the disk", where));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return base::Unavailable(fmt::format("{} is in use by another process", where));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return base::PermissionDenied(fmt::format("{}: {}: check that the folder exists and is writable", where, text));
    case SQLITE_CONSTRAINT:
      return base::AlreadyExists(fmt::format("{}: {}", where, text));
    default:
      return base::Internal(fmt::format("{}: {}", where, text));
  }
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), handle_(other.handle_), in_use_(other.in_use_), bind_error_(other.bind_error_) {
  other.handle_ = nullptr;
}

Statement::~Statement() {
  if (!handle_) return;
  if (!in_use_) {
    sqlite3_finalize(handle_);
    return;
  }
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  *in_use_ = false;
}

void Statement::Note(int code) {
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::Bind(int index, int64_t value) {
  Note(sqlite3_bind_int64(handle_, index, value));
  return *this;
}

Statement& Statement::Bind(int index, double value) {
  Note(sqlite3_bind_double(handle_, index, value));
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  Note(sqlite3_bind_text64(handle_, index, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  Note(sqlite3_bind_blob64(handle_, index, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::BindNull(int index) {
  Note(sqlite3_bind_null(handle_, index));
  return *this;
}

base::Result<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) return FromSqlite(db_, bind_error_);
  int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return FromSqlite(db_, code);
}

base::Status Statement::Run() {
  ASSIGN_OR_RETURN([[maybe_unused]] bool row, Step());
  return base::OkStatus();
}

void Statement::Reset() { sqlite3_reset(handle_); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::Double(int column) const { return sqlite3_column_double(handle_, column); }

std::string Statement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  int size = sqlite3_column_bytes(handle_, column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<size_t>(size)) : std::string();
}

bool Statement::IsNull(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

std::optional<int64_t> Statement::OptionalInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

std::optional<double> Statement::OptionalDouble(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Double(column);
}

std::optional<std::string> Statement::OptionalText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Text(column);
}

base::Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Mode mode) {
  bool writing = mode == Mode::kReadWrite;
  if (writing) {
    // SQLite would create it by the umask; analyses and names of servers are nobody else's business.
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return base::PermissionDenied(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
    ::close(fd);
  }
  sqlite3* db = nullptr;
  int flags = (writing ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(db));
  if (code != SQLITE_OK) return FromSqlite(db, code);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  if (writing) {
    RETURN_IF_ERROR(connection->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  } else {
    RETURN_IF_ERROR(connection->Execute("PRAGMA query_only=ON;"));
  }
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, cached] : cache_) sqlite3_finalize(cached->handle);
  sqlite3_close_v2(db_);
}

base::Result<Statement> Connection::Prepare(std::string_view sql) {
  auto& slot = cache_[std::string(sql)];
  if (slot && !slot->in_use) {
    slot->in_use = true;
    return Statement(db_, slot->handle, &slot->in_use);
  }
  sqlite3_stmt* handle = nullptr;
  int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) {
    base::Status failure = FromSqlite(db_, code);
    if (!slot) cache_.erase(std::string(sql));
    return failure;
  }
  if (slot) return Statement(db_, handle, nullptr);  // the cached one is being stepped by an outer loop
  slot = std::make_unique<Cached>(Cached{handle, true});
  return Statement(db_, handle, &slot->in_use);
}

base::Status Connection::Execute(std::string_view sql) {
  int code = sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? base::OkStatus() : FromSqlite(db_, code);
}

int64_t Connection::last_insert_id() const { return sqlite3_last_insert_rowid(db_); }
int64_t Connection::changes() const { return sqlite3_changes64(db_); }

}  // namespace redoubt::store
