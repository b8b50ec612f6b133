#include "text/utf8.h"

namespace redoubt::text {
namespace {

struct Lead {
  int length;
  char32_t bits;
  char32_t smallest;  // below it the form is overlong
};

Lead ReadLead(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if ((byte & 0xE0) == 0xC0) return {2, static_cast<char32_t>(byte & 0x1F), 0x80};
  if ((byte & 0xF0) == 0xE0) return {3, static_cast<char32_t>(byte & 0x0F), 0x800};
  if ((byte & 0xF8) == 0xF0) return {4, static_cast<char32_t>(byte & 0x07), 0x10000};
  return {0, 0, 0};
}

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

char32_t DecodeUtf8(std::string_view utf8, size_t& pos) {
  const Lead lead = ReadLead(static_cast<unsigned char>(utf8[pos]));
  const size_t start = pos++;
  if (lead.length == 0 || start + lead.length > utf8.size()) return kReplacement;
  char32_t code_point = lead.bits;
  for (int i = 1; i < lead.length; ++i) {
    if (!IsContinuation(utf8[start + i])) return kReplacement;
    code_point = code_point << 6 | (static_cast<unsigned char>(utf8[start + i]) & 0x3F);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < lead.smallest || surrogate || code_point > 0x10FFFF) return kReplacement;
  pos = start + lead.length;
  return code_point;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
    return;
  }
  if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      out += static_cast<char>(0xE0 | code_point >> 12);
    } else {
      out += static_cast<char>(0xF0 | code_point >> 18);
      out += static_cast<char>(0x80 | (code_point >> 12 & 0x3F));
    }
    out += static_cast<char>(0x80 | (code_point >> 6 & 0x3F));
  }
  out += static_cast<char>(0x80 | (code_point & 0x3F));
}

std::string_view TruncateUtf8(std::string_view utf8, size_t max_bytes) {
  if (utf8.size() <= max_bytes) return utf8;
  size_t end = max_bytes;
  // A code point has at most three continuation bytes; more of them is not UTF-8 and may be cut anywhere.
  while (end > 0 && max_bytes - end < 4 && IsContinuation(utf8[end])) --end;
  return utf8.substr(0, end);
}

}  // namespace redoubt::text
