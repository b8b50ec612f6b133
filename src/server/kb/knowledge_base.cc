#include "server/kb/knowledge_base.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "base/json.h"
#include "embed/vector_cache.h"
#include "server/kb/entry_files.h"
#include "server/kb/entry_update.h"
#include "server/kb/retrieval.h"
#include "server/store/database.h"
#include "text/utf8.h"

namespace redoubt::kb {

using base::Result;
using base::Status;

namespace {

constexpr std::array<store::Migration, 1> kMigrations = {{{"kb/1", R"sql(
  CREATE TABLE kb_edits (
    id TEXT PRIMARY KEY,
    json TEXT,              -- null: the file's entry is hidden
    base_hash TEXT,         -- of the file's entry when it was edited; null for a user's own
    updated_at INTEGER NOT NULL DEFAULT (unixepoch())
  );
  CREATE TABLE kb_vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL);
)sql"}}};

constexpr size_t kQueryBytes = 1200;
constexpr size_t kCachedVectors = 64;  // the entries hold their own; this only bridges a rebuild

struct Edit {
  std::optional<std::string> json;
  std::optional<std::string> base_hash;
};

Result<std::map<std::string, Edit>> ReadEdits(store::Database& database) {
  return database.Read([](store::Connection& connection) -> Result<std::map<std::string, Edit>> {
    std::map<std::string, Edit> edits;
    ASSIGN_OR_RETURN(store::Statement rows, connection.Prepare("SELECT id, json, base_hash FROM kb_edits"));
    while (true) {
      ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return edits;
      edits[rows.Text(0)] = {rows.OptionalText(1), rows.OptionalText(2)};
    }
  });
}

Status WriteEdit(store::Database& database, const std::string& id, const Edit& edit) {
  return database.Write([&](store::Connection& connection) -> Status {
    ASSIGN_OR_RETURN(store::Statement row,
                     connection.Prepare("INSERT INTO kb_edits (id, json, base_hash) VALUES (?1, ?2, ?3) "
                                        "ON CONFLICT (id) DO UPDATE SET json = ?2, base_hash = ?3, "
                                        "updated_at = unixepoch()"));
    return row.Bind(1, id).Bind(2, edit.json).Bind(3, edit.base_hash).Run();
  });
}

Status DropEdit(store::Database& database, const std::string& id) {
  return database.Write([&](store::Connection& connection) -> Status {
    ASSIGN_OR_RETURN(store::Statement row, connection.Prepare("DELETE FROM kb_edits WHERE id = ?1"));
    return row.Bind(1, id).Run();
  });
}

std::optional<Vector> LoadVector(store::Database& database, const std::string& key) {
  Result<std::string> bytes = database.Read([&](store::Connection& connection) -> Result<std::string> {
    ASSIGN_OR_RETURN(store::Statement row, connection.Prepare("SELECT vector FROM kb_vectors WHERE key = ?1"));
    ASSIGN_OR_RETURN(bool found, row.Bind(1, key).Step());
    return found ? row.Text(0) : std::string();
  });
  if (!bytes.ok() || bytes->empty() || bytes->size() % sizeof(float) != 0) return std::nullopt;
  Vector vector(bytes->size() / sizeof(float));
  std::copy_n(bytes->data(), bytes->size(), reinterpret_cast<char*>(vector.data()));
  return vector;
}

void SaveVector(store::Database& database, const std::string& key, std::span<const float> vector) {
  std::string bytes(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
  // A vector can be computed again: it need not wait for the disk.
  (void)database.WriteLater([key, bytes](store::Connection& connection) -> Status {
    ASSIGN_OR_RETURN(store::Statement row,
                     connection.Prepare("INSERT OR REPLACE INTO kb_vectors (key, vector) VALUES (?1, ?2)"));
    return row.Bind(1, key).BindBlob(2, bytes).Run();
  });
}

}  // namespace

std::string LoadReport::Summary(Lang lang) const {
  if (lang == Lang::kKo) {
    return fmt::format("파일 {}개 발견, {}개 적재, {}개 실패 · 항목 {}개{}", files_found, files_loaded, files_failed,
                       entries_total, conflicts > 0 ? fmt::format(" · 충돌 {}개", conflicts) : "");
  }
  return fmt::format("{} files found, {} loaded, {} failed, {} entries in total{}", files_found, files_loaded,
                     files_failed, entries_total, conflicts > 0 ? fmt::format(", {} conflicts", conflicts) : "");
}

struct KnowledgeBase::State {
  // What readers see; replaced whole.
  struct Set {
    std::map<std::string, EntryPtr, std::less<>> by_id;
    std::shared_ptr<const Retrieval> retrieval;
    uint64_t generation = 0;
  };

  Deps deps;
  LoadReport report;
  std::map<std::string, EntryPtr, std::less<>> from_files;  // constant after Open
  std::vector<std::string> order;                           // ids as the files list them
  std::unique_ptr<embed::VectorCache> vectors;

  std::mutex write_mu;  // one change at a time
  bool vectors_wanted = false;
  mutable std::mutex mu;
  std::shared_ptr<const Set> set GUARDED_BY(mu);

  std::shared_ptr<const Set> Current() const {
    std::lock_guard lock(mu);
    return set;
  }

  void ReadFiles(std::vector<EntryFile> files);
  Status Rebuild();
  void FillVectors(Retrieval& retrieval, const Retrieval* before);
  Status Import(const Json& json, ImportItem& item);
  Status Write(const Entry& entry, const EntryPtr& file_entry);
  Result<EntryPtr> Save(Entry entry, const EntryPtr& file_entry);
};

void KnowledgeBase::State::ReadFiles(std::vector<EntryFile> files) {
  report.files_found = files.size();
  for (EntryFile& file : files) {
    for (EntryPtr& entry : file.entries) {
      if (!from_files.emplace(entry->id, entry).second) {
        file.errors.push_back(fmt::format("id '{}' is already in {}", entry->id, from_files[entry->id]->file));
        continue;
      }
      order.push_back(entry->id);
      report.lines.push_back(fmt::format("✅ {}: {}", entry->id, entry->title.ko));
    }
    for (const std::string& error : file.errors) report.lines.push_back(fmt::format("❌ {}: {}", file.name, error));
    ++(file.errors.empty() ? report.files_loaded : report.files_failed);
  }
}

// Files first, then the user's edits over them.
Status KnowledgeBase::State::Rebuild() {
  std::map<std::string, Edit> edits;
  if (deps.database != nullptr) {
    ASSIGN_OR_RETURN(edits, ReadEdits(*deps.database));
  }
  auto next = std::make_shared<Set>();
  for (const auto& [id, entry] : from_files) next->by_id.emplace(id, entry);
  report.conflicts = 0;
  for (const auto& [id, edit] : edits) {
    auto file = from_files.find(id);
    if (!edit.json) {
      next->by_id.erase(id);
      continue;
    }
    Result<Json> json = base::ParseJson(*edit.json);
    Result<Entry> entry = json.ok() ? EntryFromJson(*json) : Result<Entry>(json.status());
    if (!entry.ok()) {
      deps.logger.Error("knowledge entry {} in the database is not readable: {}", id, entry.status().message());
      continue;
    }
    entry->origin = file == from_files.end() ? Origin::kUser : Origin::kEdited;
    if (file != from_files.end()) {
      entry->file = file->second->file;
      entry->conflict = edit.base_hash != ContentHash(*file->second);
      if (entry->conflict) ++report.conflicts;
    }
    next->by_id[id] = std::make_shared<const Entry>(std::move(*entry));
  }
  std::vector<EntryPtr> entries;
  for (const std::string& id : order) {
    if (auto it = next->by_id.find(id); it != next->by_id.end()) entries.push_back(it->second);
  }
  for (const auto& [id, entry] : next->by_id) {
    if (!from_files.contains(id)) entries.push_back(entry);
  }
  std::shared_ptr<const Set> before = Current();
  auto retrieval = std::make_shared<Retrieval>(std::move(entries));
  if (vectors_wanted) FillVectors(*retrieval, before ? before->retrieval.get() : nullptr);
  next->retrieval = retrieval;
  next->generation = before ? before->generation + 1 : 1;
  report.entries_total = next->by_id.size();
  std::lock_guard lock(mu);
  set = next;
  return base::OkStatus();
}

void KnowledgeBase::State::FillVectors(Retrieval& retrieval, const Retrieval* before) {
  for (size_t i = 0; i < retrieval.entries().size(); ++i) {
    const EntryPtr& entry = retrieval.entries()[i];
    if (before != nullptr) {
      const auto& old = before->entries();
      auto same = std::find(old.begin(), old.end(), entry);
      if (same != old.end() && before->HasVectors(static_cast<size_t>(same - old.begin()))) {
        retrieval.SetVectors(i, before->vectors(static_cast<size_t>(same - old.begin())));
        continue;
      }
    }
    std::vector<Vector> lines;
    for (const std::string& line : Retrieval::LinesOf(*entry)) {
      Result<Vector> vector = vectors->Get(line);
      lines.push_back(vector.ok() ? std::move(*vector) : Vector());
    }
    // A line without a vector (no letters in it) must not shift the others.
    size_t dim = 0;
    for (const Vector& line : lines) dim = std::max(dim, line.size());
    for (Vector& line : lines) line.resize(dim, 0.0f);
    if (dim > 0) retrieval.SetVectors(i, std::move(lines));
  }
}

Status KnowledgeBase::State::Import(const Json& json, ImportItem& item) {
  ASSIGN_OR_RETURN(Entry entry, EntryFromJson(json));
  auto set = Current();
  auto before = set->by_id.find(entry.id);
  item.replaced = before != set->by_id.end();
  if (item.replaced) {
    RETURN_IF_ERROR(TakeOver(*before->second, json, entry));
    item.unchanged = ContentHash(entry) == ContentHash(*before->second) && !before->second->conflict;
  }
  auto file = from_files.find(entry.id);
  return item.unchanged ? base::OkStatus() : Write(entry, file == from_files.end() ? nullptr : file->second);
}

// What says the same as the file is no edit: it goes on following the file.
Status KnowledgeBase::State::Write(const Entry& entry, const EntryPtr& file_entry) {
  Edit edit{base::DumpJson(*entry.document), std::nullopt};
  if (file_entry) edit.base_hash = ContentHash(*file_entry);
  if (file_entry && edit.base_hash == ContentHash(entry)) return DropEdit(*deps.database, entry.id);
  return WriteEdit(*deps.database, entry.id, edit);
}

Result<EntryPtr> KnowledgeBase::State::Save(Entry entry, const EntryPtr& file_entry) {
  std::string id = entry.id;
  RETURN_IF_ERROR(Write(entry, file_entry));
  RETURN_IF_ERROR(Rebuild());
  return Current()->by_id.find(id)->second;
}

KnowledgeBase::KnowledgeBase(std::unique_ptr<State> state) : state_(std::move(state)) {}
KnowledgeBase::~KnowledgeBase() = default;

Result<std::unique_ptr<KnowledgeBase>> KnowledgeBase::Open(Deps deps) {
  auto state = std::make_unique<State>();
  state->deps = std::move(deps);
  ASSIGN_OR_RETURN(std::vector<EntryFile> files, ReadEntryFiles(state->deps.dir));
  if (state->deps.database != nullptr) RETURN_IF_ERROR(state->deps.database->Migrate(kMigrations));
  state->ReadFiles(std::move(files));
  if (state->deps.embedding.embed) {
    embed::VectorSource source{state->deps.embedding.model_id, state->deps.embedding.embed, nullptr, nullptr};
    if (store::Database* database = state->deps.database) {
      source.load = [database](const std::string& key) { return LoadVector(*database, key); };
      source.save = [database](const std::string& key, std::span<const float> v) { SaveVector(*database, key, v); };
    }
    state->vectors = std::make_unique<embed::VectorCache>(std::move(source), kCachedVectors);
  }
  RETURN_IF_ERROR(state->Rebuild());
  return std::unique_ptr<KnowledgeBase>(new KnowledgeBase(std::move(state)));
}

const LoadReport& KnowledgeBase::report() const { return state_->report; }

Status KnowledgeBase::BuildVectors() {
  if (!state_->vectors) return base::FailedPrecondition("no embedding model: retrieval works on words alone");
  std::lock_guard lock(state_->write_mu);
  state_->vectors_wanted = true;
  return state_->Rebuild();
}

uint64_t KnowledgeBase::generation() const { return state_->Current()->generation; }

std::vector<EntryPtr> KnowledgeBase::List(const ListFilter& filter) const {
  std::vector<EntryPtr> out;
  for (const EntryPtr& entry : state_->Current()->retrieval->entries()) {
    if (!filter.category.empty() && entry->category != filter.category) continue;
    if (!filter.severity.empty() && entry->severity != filter.severity) continue;
    if (!filter.tag.empty() && std::find(entry->tags.begin(), entry->tags.end(), filter.tag) == entry->tags.end()) {
      continue;
    }
    if (!filter.text.empty() && entry->id.find(filter.text) == std::string::npos &&
        entry->title.ko.find(filter.text) == std::string::npos &&
        entry->title.en.find(filter.text) == std::string::npos) {
      continue;
    }
    out.push_back(entry);
  }
  return out;
}

Result<EntryPtr> KnowledgeBase::Get(std::string_view id) const {
  auto set = state_->Current();
  auto it = set->by_id.find(id);
  if (it == set->by_id.end()) return base::NotFound(fmt::format("no knowledge entry '{}'", id));
  return it->second;
}

namespace {

base::Status NeedsDatabase() { return base::FailedPrecondition("entries cannot be edited without a database"); }

EntryPtr FileEntry(const std::map<std::string, EntryPtr, std::less<>>& files, std::string_view id) {
  auto it = files.find(id);
  return it == files.end() ? nullptr : it->second;
}

}  // namespace

Result<EntryPtr> KnowledgeBase::Create(const Json& json) {
  if (state_->deps.database == nullptr) return NeedsDatabase();
  ASSIGN_OR_RETURN(Entry entry, EntryFromJson(json));
  std::lock_guard lock(state_->write_mu);
  if (state_->Current()->by_id.contains(entry.id)) {
    return base::AlreadyExists(fmt::format("entry '{}' exists; PUT changes it", entry.id));
  }
  return state_->Save(std::move(entry), FileEntry(state_->from_files, entry.id));
}

Result<EntryPtr> KnowledgeBase::Update(std::string_view id, const Json& json) {
  if (state_->deps.database == nullptr) return NeedsDatabase();
  Json with_id = json;
  if (with_id.is_object() && !with_id.contains("id")) with_id["id"] = std::string(id);
  ASSIGN_OR_RETURN(Entry entry, EntryFromJson(with_id));
  if (entry.id != id)
    return base::InvalidArgument(fmt::format("id: '{}' is not '{}'; an id cannot change", entry.id, id));
  std::lock_guard lock(state_->write_mu);
  ASSIGN_OR_RETURN(EntryPtr before, Get(id));
  RETURN_IF_ERROR(TakeOver(*before, with_id, entry));
  return state_->Save(std::move(entry), FileEntry(state_->from_files, id));
}

Status KnowledgeBase::Delete(std::string_view id) {
  if (state_->deps.database == nullptr) return NeedsDatabase();
  std::lock_guard lock(state_->write_mu);
  std::string key(id);
  if (!state_->Current()->by_id.contains(key)) return base::NotFound(fmt::format("no knowledge entry '{}'", id));
  EntryPtr file = FileEntry(state_->from_files, id);
  RETURN_IF_ERROR(file ? WriteEdit(*state_->deps.database, key, {std::nullopt, ContentHash(*file)})
                       : DropEdit(*state_->deps.database, key));
  return state_->Rebuild();
}

Result<std::vector<ImportItem>> KnowledgeBase::BulkImport(const Json& json) {
  if (state_->deps.database == nullptr) return NeedsDatabase();
  ASSIGN_OR_RETURN(std::vector<Json> list, EntryList(json));
  std::vector<ImportItem> items;
  std::lock_guard lock(state_->write_mu);
  for (const Json& one : list) {
    ImportItem item;
    if (one.is_object() && one.contains("id") && one["id"].is_string()) item.id = one["id"].get<std::string>();
    Status taken = state_->Import(one, item);
    item.ok = taken.ok();
    if (!taken.ok()) item.error = taken.message();
    items.push_back(std::move(item));
  }
  RETURN_IF_ERROR(state_->Rebuild());
  return items;
}

Status KnowledgeBase::Export(const std::string& dir) const {
  std::map<std::string, Json> files;
  for (const EntryPtr& entry : state_->Current()->retrieval->entries()) {
    const std::string& name = entry->file.empty() ? "troubleshooting/user_entries.json" : entry->file;
    Json& file = files[name];
    if (file.is_null()) file = {{"$schema", "../schema/entries.schema.json"}, {"entries", Json::array()}};
    file["entries"].push_back(*entry->document);
  }
  for (const auto& [name, json] : files) {
    std::filesystem::path path = std::filesystem::path(dir) / name;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error)
      return base::Unavailable(fmt::format("cannot make {}: {}", path.parent_path().string(), error.message()));
    RETURN_IF_ERROR(WriteWholeFile(path.string(), base::DumpJson(json, 2) + "\n"));
  }
  return base::OkStatus();
}

std::vector<SearchHit> KnowledgeBase::Search(std::string_view query, size_t k) const {
  auto set = state_->Current();
  query = text::TruncateUtf8(query, kQueryBytes);
  if (state_->vectors_wanted && state_->deps.embedding.embed) {
    Result<Vector> vector = state_->deps.embedding.embed(query);
    if (vector.ok()) return set->retrieval->Search(query, &*vector, k);
  }
  return set->retrieval->Search(query, nullptr, k);
}

std::vector<SearchHit> KnowledgeBase::SearchWords(std::string_view query, size_t k) const {
  return state_->Current()->retrieval->Search(text::TruncateUtf8(query, kQueryBytes), nullptr, k);
}

}  // namespace redoubt::kb
