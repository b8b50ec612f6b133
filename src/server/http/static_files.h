#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http/message.h"

namespace redoubt::http {

// One file of the web UI, in memory. The bytes outlive the server that sends them.
struct StaticFile {
  std::string_view path;  // "/assets/index-1a2b.js"
  std::string_view content_type;
  std::string_view etag;  // with its quotes
  std::string_view bytes;
  std::string_view gzip;  // empty: not worth it
};

// Answers a GET from the table: gzip where the client takes it, ETag, files below /assets/ cached for good (their
// names carry a hash). A path without a file extension that is not in the table gets /index.html, so that the page's
// own addresses can be opened and reloaded. 404 otherwise, also while the table is empty.
Response ServeStatic(std::span<const StaticFile> files, const Request& request);

// Every file below a folder, read and compressed once, so that serving touches no disk.
class StaticFolder {
 public:
  // NotFound when there is no such folder. Reads at most 64 MB.
  static base::Result<StaticFolder> Load(const std::string& folder);

  std::span<const StaticFile> files() const { return files_; }

 private:
  std::deque<std::string> texts_;  // what files_ points into; a deque does not move its elements
  std::vector<StaticFile> files_;
};

}  // namespace redoubt::http
