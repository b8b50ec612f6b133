#include <unicode/ucnv.h>

#include <array>
#include <optional>

#include "server/diagnose/recogniser.h"
#include "text/utf8.h"

namespace redoubt::diagnose {
namespace {

struct Quality {
  size_t broken = 0;  // bytes or characters that are no text
  size_t hangul = 0;
  size_t strange = 0;  // Latin letters with accents and marks: what Korean looks like when read as Latin-1
  size_t all = 0;
};

Quality QualityOf(std::string_view utf8) {
  Quality out;
  for (size_t pos = 0; pos < utf8.size();) {
    auto first = static_cast<unsigned char>(utf8[pos]);
    if (first < 0x80) {
      ++pos;
      continue;
    }
    char32_t c = text::DecodeUtf8(utf8, pos);
    ++out.all;
    if (c == text::kReplacement) ++out.broken;
    if (c >= 0xAC00 && c <= 0xD7A3) ++out.hangul;
    if ((c >= 0x80 && c <= 0xFF) || c == 0x20AC || (c >= 0x2013 && c <= 0x203A) || (c >= 0x152 && c <= 0x178)) {
      ++out.strange;
    }
  }
  return out;
}

struct Converter {
  explicit Converter(const char* name) {
    UErrorCode error = U_ZERO_ERROR;
    handle = ucnv_open(name, &error);
  }
  ~Converter() {
    if (handle != nullptr) ucnv_close(handle);
  }
  UConverter* handle = nullptr;
};

std::optional<std::string> Convert(const char* from, const char* to, std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  std::string out(bytes.size() * 3 + 16, '\0');
  int32_t size = ucnv_convert(to, from, out.data(), static_cast<int32_t>(out.size()), bytes.data(),
                              static_cast<int32_t>(bytes.size()), &error);
  if (U_FAILURE(error) || size < 0) return std::nullopt;
  out.resize(static_cast<size_t>(size));
  return out;
}

// The larger the text, the less one has to see of it to know what it is.
constexpr size_t kProbeBytes = 256u << 10;

std::optional<std::string> FromUtf16(std::string_view bytes) {
  if (bytes.size() < 4 || bytes.size() % 2 != 0) return std::nullopt;
  if (bytes.starts_with("\xFF\xFE")) return Convert("UTF-16LE", "UTF-8", bytes.substr(2));
  if (bytes.starts_with("\xFE\xFF")) return Convert("UTF-16BE", "UTF-8", bytes.substr(2));
  return std::nullopt;
}

// UTF-8 that was read as `charset` and written as UTF-8 again: undo it, and see whether Korean appears.
std::optional<std::string> Undo(const char* charset, std::string_view utf8, const Quality& now) {
  std::optional<std::string> back = Convert("UTF-8", charset, utf8);
  if (!back) return std::nullopt;
  Quality then = QualityOf(*back);
  if (then.hangul > now.hangul + 2 && then.hangul > 4 * then.broken) return back;
  return std::nullopt;
}

}  // namespace

std::string DecodeText(std::string_view bytes, std::string& from) {
  from.clear();
  if (auto wide = FromUtf16(bytes)) {
    from = "UTF-16";
    return *wide;
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  Quality quality = QualityOf(bytes.substr(0, kProbeBytes));
  constexpr size_t kConvertible = 64u << 20;  // converting needs 32-bit lengths and three times the memory
  if (bytes.size() > kConvertible || quality.all == 0) return std::string(bytes);
  if (quality.broken * 10 > quality.all) {
    std::optional<std::string> korean = Convert("windows-949", "UTF-8", bytes);
    if (korean) {
      Quality then = QualityOf(std::string_view(*korean).substr(0, kProbeBytes));
      if (then.hangul > 0 && then.broken * 10 < then.all) {
        from = "CP949";
        return *korean;
      }
    }
  }
  if (quality.broken == 0 && quality.strange * 2 > quality.all && quality.strange > 5) {
    if (auto back = Undo("windows-1252", bytes, quality)) {
      from = "mis-decoded UTF-8";
      return *back;
    }
  }
  return std::string(bytes);
}

}  // namespace redoubt::diagnose
