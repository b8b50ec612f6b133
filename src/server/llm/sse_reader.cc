#include "server/llm/sse_reader.h"

namespace redoubt::llm {
namespace {
constexpr size_t kLongestLine = 1 << 20;
}

bool SseReader::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > kLongestLine) return false;
    if (end == std::string_view::npos) return true;
    TakeLine(line_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
  return true;
}

void SseReader::TakeLine(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  constexpr std::string_view kField = "data:";
  if (!line.starts_with(kField)) return;
  line.remove_prefix(kField.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  on_data_(line);
}

}  // namespace redoubt::llm
