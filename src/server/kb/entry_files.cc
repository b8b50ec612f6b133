#include "server/kb/entry_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"

namespace redoubt::kb {

namespace fs = std::filesystem;
using base::Result;

namespace {

EntryFile ReadOne(const fs::path& path, const std::string& name) {
  EntryFile file;
  file.name = name;
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    file.errors.push_back("cannot be read");
    return file;
  }
  Result<Json> json = base::ParseJson(text.str());
  if (!json.ok()) {
    file.errors.push_back(json.status().message());
    return file;
  }
  Result<std::vector<Json>> list = EntryList(*json);
  if (!list.ok()) {
    file.errors.push_back(list.status().message());
    return file;
  }
  for (size_t i = 0; i < list->size(); ++i) {
    Result<Entry> entry = EntryFromJson((*list)[i]);
    if (!entry.ok()) {
      file.errors.push_back(fmt::format("entries[{}]: {}", i, entry.status().message()));
      continue;
    }
    entry->origin = Origin::kFile;
    entry->file = name;
    file.entries.push_back(std::make_shared<const Entry>(std::move(*entry)));
  }
  return file;
}

}  // namespace

Result<std::vector<EntryFile>> ReadEntryFiles(const std::string& dir) {
  std::error_code error;
  if (!fs::is_directory(dir, error)) return base::NotFound("no knowledge folder at " + dir);
  std::set<std::string> names;
  for (const char* room : {"troubleshooting", "failure_modes"}) {
    fs::path below = fs::path(dir) / room;
    if (!fs::is_directory(below, error)) continue;
    for (const fs::directory_entry& item : fs::directory_iterator(below, error)) {
      if (item.path().extension() == ".json") names.insert(std::string(room) + "/" + item.path().filename().string());
    }
  }
  std::vector<EntryFile> files;
  // The fixed entries first, in the order of the list.
  for (const char* room : {"troubleshooting/", "failure_modes/"}) {
    for (const std::string& name : names) {
      if (name.starts_with(room)) files.push_back(ReadOne(fs::path(dir) / name, name));
    }
  }
  return files;
}

Result<std::vector<Json>> EntryList(const Json& json) {
  if (json.is_array()) return std::vector<Json>(json.begin(), json.end());
  if (!json.is_object()) return base::InvalidArgument("expected an entry, an array of entries or {\"entries\": [...]}");
  if (!json.contains("entries")) return std::vector<Json>{json};
  if (!json["entries"].is_array()) return base::InvalidArgument("entries has to be an array");
  return std::vector<Json>(json["entries"].begin(), json["entries"].end());
}

std::string ContentHash(const Entry& entry) {
  uint64_t hash = 14695981039346656037ull;  // FNV-1a
  for (unsigned char c : base::DumpJson(*entry.document)) hash = (hash ^ c) * 1099511628211ull;
  return fmt::format("{:016x}", hash);
}

base::Status WriteWholeFile(const std::string& path, const std::string& text) {
  std::string beside = path + ".new";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    if (!out) return base::Unavailable("cannot write " + beside);
  }
  std::error_code error;
  fs::rename(beside, path, error);
  if (error) return base::Unavailable(fmt::format("cannot rename {}: {}", beside, error.message()));
  return base::OkStatus();
}

}  // namespace redoubt::kb
