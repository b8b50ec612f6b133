#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace redoubt::text {

// What a byte sequence that is no UTF-8 decodes to; it separates words.
inline constexpr char32_t kReplacement = 0xFFFD;

// The code point at `pos`, which it moves behind it. Overlong forms, surrogates and cut sequences give kReplacement
// and move one byte, so any bytes come to an end. Needs pos < utf8.size().
char32_t DecodeUtf8(std::string_view utf8, size_t& pos);

void AppendUtf8(char32_t code_point, std::string& out);

// At most `max_bytes` of `utf8`, cut between code points.
std::string_view TruncateUtf8(std::string_view utf8, size_t max_bytes);

}  // namespace redoubt::text
