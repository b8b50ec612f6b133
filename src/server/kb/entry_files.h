#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/kb/entry.h"

namespace redoubt::kb {

// What one file held: entries that are right, and what is wrong with the others.
struct EntryFile {
  std::string name;  // below the folder: "troubleshooting/memory_issues.json"
  std::vector<std::shared_ptr<const Entry>> entries;
  std::vector<std::string> errors;
};

// Every *.json below dir/troubleshooting and dir/failure_modes, by name. NotFound when there is no such folder.
base::Result<std::vector<EntryFile>> ReadEntryFiles(const std::string& dir);

// One entry, an array of entries, or {"entries": [...]}.
base::Result<std::vector<Json>> EntryList(const Json& json);

// Changes with every change of the entry's content; not for secrets.
std::string ContentHash(const Entry& entry);

// Writes `text` beside `path` and renames it there.
base::Status WriteWholeFile(const std::string& path, const std::string& text);

}  // namespace redoubt::kb
