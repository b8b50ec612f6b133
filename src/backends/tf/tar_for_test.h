#pragma once

#include <string>

// Tar archives for tests, entry by entry.
namespace redoubt::backends::tf::tar {

std::string Entry(char type, const std::string& name, const std::string& content, const std::string& prefix = "");
inline std::string File(const std::string& name, const std::string& content, char type = '0',
                        const std::string& prefix = "") {
  return Entry(type, name, content, prefix);
}
inline std::string Folder(const std::string& name) { return Entry('5', name, ""); }
inline std::string End() { return std::string(1024, '\0'); }

std::string Gzip(const std::string& bytes);

}  // namespace redoubt::backends::tf::tar
