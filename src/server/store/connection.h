#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace redoubt::store {

// One prepared statement in use: bind from 1, step, read columns from 0. Goes back to its connection's cache when it
// ends, so it must not outlive the connection. One thread.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, int value) { return Bind(index, static_cast<int64_t>(value)); }
  Statement& Bind(int index, bool value) { return Bind(index, static_cast<int64_t>(value)); }
  Statement& Bind(int index, double value);
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, const char* text) { return Bind(index, std::string_view(text)); }
  Statement& Bind(int index, const std::string& text) { return Bind(index, std::string_view(text)); }
  Statement& BindBlob(int index, std::string_view bytes);
  Statement& BindNull(int index);
  template <class T>
  Statement& Bind(int index, const std::optional<T>& value) {
    return value ? Bind(index, *value) : BindNull(index);
  }

  // True when a row is there to read. The first bind that failed is reported here.
  base::Result<bool> Step();
  // For statements without rows.
  base::Status Run();
  // Back to before the first Step(); bindings stay.
  void Reset();

  int64_t Int(int column) const;
  double Double(int column) const;
  std::string Text(int column) const;  // also for blobs
  bool IsNull(int column) const;
  std::optional<int64_t> OptionalInt(int column) const;
  std::optional<double> OptionalDouble(int column) const;
  std::optional<std::string> OptionalText(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3* db, sqlite3_stmt* handle, bool* in_use) : db_(db), handle_(handle), in_use_(in_use) {}
  void Note(int code);

  sqlite3* db_;
  sqlite3_stmt* handle_;
  bool* in_use_;  // null: not cached, finalized with this object
  int bind_error_ = 0;
};

// One open handle on the database file. One thread at a time; Database hands it out.
class Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // Creates the file (mode 0600) when writing and it is missing. DataLoss when it is no database or damaged.
  static base::Result<std::unique_ptr<Connection>> Open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Statements are cached by their text: pass constants, bind values.
  base::Result<Statement> Prepare(std::string_view sql);
  // Several statements without values, e.g. a schema.
  base::Status Execute(std::string_view sql);

  int64_t last_insert_id() const;
  // Rows that the last INSERT, UPDATE or DELETE touched.
  int64_t changes() const;

 private:
  struct Cached {
    sqlite3_stmt* handle = nullptr;
    bool in_use = false;
  };
  explicit Connection(sqlite3* db) : db_(db) {}

  sqlite3* db_;
  std::unordered_map<std::string, std::unique_ptr<Cached>> cache_;
};

}  // namespace redoubt::store
