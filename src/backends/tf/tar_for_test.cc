#include "backends/tf/tar_for_test.h"

#include <zlib.h>

#include <cstdint>
#include <cstdio>

namespace redoubt::backends::tf::tar {
namespace {

void Put(std::string& header, size_t at, const std::string& text) { header.replace(at, text.size(), text); }

std::string Octal(uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string Entry(char type, const std::string& name, const std::string& content, const std::string& prefix) {
  std::string header(512, '\0');
  Put(header, 0, name.substr(0, 100));
  Put(header, 100, "0000644");
  Put(header, 124, Octal(content.size(), 11));
  Put(header, 148, "        ");
  header[156] = type;
  Put(header, 257, std::string("ustar\0", 6) + "00");
  Put(header, 345, prefix.substr(0, 155));
  unsigned sum = 0;
  for (char c : header) sum += static_cast<uint8_t>(c);
  Put(header, 148, Octal(sum, 6) + '\0');
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace redoubt::backends::tf::tar
