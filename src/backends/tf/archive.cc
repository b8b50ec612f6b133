#include "backends/tf/archive.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace redoubt::backends::tf {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kMaxNameBytes = 4096;

[[noreturn]] void Refuse(const std::string& why) { throw std::invalid_argument("ERR the archive of the model " + why); }

// The bytes of the tar archive, one after the other.
class Source {
 public:
  virtual ~Source() = default;
  // As many as there are, at most `size`.
  virtual size_t Read(uint8_t* to, size_t size) = 0;
  void ReadAll(uint8_t* to, size_t size) {
    if (Read(to, size) != size) Refuse("ends too early");
  }
};

class Plain final : public Source {
 public:
  explicit Plain(Bytes bytes) : rest_(bytes) {}
  size_t Read(uint8_t* to, size_t size) override {
    const size_t n = std::min(size, rest_.size());
    if (n > 0) std::memcpy(to, rest_.data(), n);
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  Bytes rest_;
};

class Gzip final : public Source {
 public:
  explicit Gzip(Bytes bytes) : rest_(bytes) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Gzip() override { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  size_t Read(uint8_t* to, size_t size) override {
    size_t done = 0;
    while (done < size && !ended_) {
      const size_t in = std::min<size_t>(rest_.size(), 1 << 30);
      const size_t out = std::min<size_t>(size - done, 1 << 30);
      stream_.next_in = const_cast<uint8_t*>(rest_.data());
      stream_.avail_in = static_cast<uInt>(in);
      stream_.next_out = to + done;
      stream_.avail_out = static_cast<uInt>(out);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const size_t consumed = in - stream_.avail_in;
      const size_t produced = out - stream_.avail_out;
      rest_ = rest_.subspan(consumed);
      done += produced;
      ended_ = result == Z_STREAM_END;
      if (result != Z_OK && !ended_) Refuse("is damaged: its gzip data cannot be read");
      if (!ended_ && consumed == 0 && produced == 0) Refuse("ends too early");
    }
    return done;
  }

 private:
  Bytes rest_;
  z_stream stream_{};
  bool ended_ = false;
};

// A number of a header: octal digits, or GNU's form for large ones, whose first bit is set.
uint64_t Number(Bytes field) {
  uint64_t value = 0;
  if ((field[0] & 0x80) != 0) {
    for (size_t i = 1; i < field.size(); ++i) {
      if (value >> 55 != 0) Refuse("holds a number that is out of range");
      value = value << 8 | field[i];
    }
    return value;
  }
  size_t at = 0;
  while (at < field.size() && field[at] == ' ') ++at;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at) {
    value = value << 3 | static_cast<uint64_t>(field[at] - '0');
  }
  if (at < field.size() && field[at] != ' ' && field[at] != '\0') Refuse("holds a damaged header");
  return value;
}

std::string_view CText(Bytes field) {
  const std::string_view text = TextOf(field);
  return text.substr(0, text.find('\0'));
}

struct Header {
  std::string name;
  uint64_t size = 0;
  char type = '0';
};

// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange Format"
bool IsHeader(Bytes block) {
  if (block.size() < kBlock || TextOf(block.subspan(257, 5)) != "ustar") return false;
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : block[i];
  uint64_t wanted = 0;
  for (uint8_t c : block.subspan(148, 8)) {
    if (c >= '0' && c <= '7') wanted = wanted * 8 + static_cast<uint64_t>(c - '0');
  }
  return sum == wanted;
}

Header ReadHeader(Bytes block) {
  if (!IsHeader(block)) Refuse("holds a damaged header");
  Header header;
  header.name = CText(block.first(100));
  // GNU's own form uses the place of the prefix for other things.
  const bool posix = TextOf(block.subspan(257, 6)) == std::string_view("ustar\0", 6);
  if (const std::string_view prefix = CText(block.subspan(345, 155)); posix && !prefix.empty()) {
    header.name = std::string(prefix) + "/" + header.name;
  }
  header.size = Number(block.subspan(124, 12));
  header.type = static_cast<char>(block[156]);
  return header;
}

std::string ReadText(Source& source, uint64_t size) {
  if (size > kMaxNameBytes * 4) Refuse("holds a name that is too long");
  std::string text((size + kBlock - 1) / kBlock * kBlock, '\0');
  source.ReadAll(reinterpret_cast<uint8_t*>(text.data()), text.size());
  text.resize(size);
  return text;
}

// "LENGTH path=VALUE\n" and the like: what it says of the next file.
void ReadPax(std::string_view records, std::optional<std::string>* name, std::optional<uint64_t>* size) {
  while (!records.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(records.data(), records.data() + records.size(), length);
    const size_t digits = static_cast<size_t>(end - records.data());
    if (error != std::errc() || length > records.size() || length < digits + 2) Refuse("holds a damaged pax header");
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) Refuse("holds a damaged pax header");
    const std::string_view value = record.substr(equals + 1);
    if (record.substr(0, equals) == "path") *name = std::string(value);
    if (record.substr(0, equals) == "size") {
      uint64_t number = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
      if (parsed.ec != std::errc()) Refuse("holds a damaged pax header");
      *size = number;
    }
    records.remove_prefix(length);
  }
}

// The place of a file in `folder`; throws when its name leads elsewhere.
std::filesystem::path PlaceFor(const std::filesystem::path& folder, const std::string& name) {
  if (name.size() > kMaxNameBytes) Refuse("holds a name that is too long");
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) {
    Refuse("holds a file that is not inside the model's folder: '" + name + "'");
  }
  std::filesystem::path place = folder;
  for (const std::filesystem::path& part : std::filesystem::path(name)) {
    if (part == "..") Refuse("holds a file that is not inside the model's folder: '" + name + "'");
    if (part != "." && !part.empty()) place /= part;
  }
  return place;
}

std::string ErrnoText() { return std::error_code(errno, std::generic_category()).message(); }

struct File {
  int descriptor;
  ~File() { close(descriptor); }
};

void WriteFile(Source& source, uint64_t size, const std::filesystem::path& place) {
  std::error_code failed;
  std::filesystem::create_directories(place.parent_path(), failed);
  const int file = failed ? -1 : open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    Refuse("cannot be unpacked: " + place.filename().string() + ": " + (failed ? failed.message() : ErrnoText()));
  }
  const File closer{file};
  std::vector<uint8_t> buffer(64 * 1024);
  for (uint64_t left = (size + kBlock - 1) / kBlock * kBlock; left > 0;) {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(left, buffer.size()));
    source.ReadAll(buffer.data(), n);
    left -= n;
    const size_t content = static_cast<size_t>(std::min<uint64_t>(n, size));
    size -= content;
    for (size_t done = 0; done < content;) {
      const ssize_t written = write(file, buffer.data() + done, content - done);
      if (written < 0) Refuse("cannot be unpacked: " + ErrnoText());
      done += static_cast<size_t>(written);
    }
  }
}

class TarReader {
 public:
  TarReader(Source& source, const std::filesystem::path& folder, uint64_t max_bytes)
      : source_(source), folder_(folder), max_bytes_(max_bytes) {}

  uint64_t Unpack() {
    std::array<uint8_t, kBlock> block;
    while (source_.Read(block.data(), kBlock) == kBlock) {
      if (std::all_of(block.begin(), block.end(), [](uint8_t c) { return c == 0; })) break;  // the end
      if (++entries_ > kMaxFiles) Refuse("holds more than " + std::to_string(kMaxFiles) + " files");
      Take(ReadHeader(block));
    }
    return written_;
  }

 private:
  void Take(Header header) {
    switch (header.type) {
      case 'x':
        ReadPax(ReadText(source_, header.size), &next_name_, &next_size_);
        return;
      case 'g':
        (void)ReadText(source_, header.size);
        return;
      case 'L':
        next_name_ = ReadText(source_, header.size).c_str();  // ends with its NUL
        return;
      case '5':
        break;
      case '0':
      case '\0':
        WriteOne(std::move(header));
        break;
      default:
        Refuse("holds something that is neither file nor folder: '" + header.name + "'");
    }
    next_name_.reset();
    next_size_.reset();
  }

  void WriteOne(Header header) {
    if (next_name_) header.name = *next_name_;
    if (next_size_) header.size = *next_size_;
    if (header.size > max_bytes_ - written_) {
      Refuse("grows to more than " + std::to_string(max_bytes_ >> 20) + " MiB when it is unpacked");
    }
    WriteFile(source_, header.size, PlaceFor(folder_, header.name));
    written_ += header.size;
  }

  Source& source_;
  const std::filesystem::path& folder_;
  const uint64_t max_bytes_;
  uint64_t written_ = 0;
  int entries_ = 0;
  std::optional<std::string> next_name_;
  std::optional<uint64_t> next_size_;
};

bool IsGzip(Bytes blob) { return blob.size() > 2 && blob[0] == 0x1f && blob[1] == 0x8b; }

}  // namespace

PrivateFolder::PrivateFolder() {
  std::error_code failed;
  std::filesystem::path parent = std::filesystem::temp_directory_path(failed);
  if (failed) parent = "/tmp";
  std::string name = (parent / "redoubt-tf-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("ERR the model cannot be unpacked: " + name + ": " + ErrnoText());
  }
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool IsArchive(Bytes blob) { return IsGzip(blob) || (blob.size() >= kBlock && IsHeader(blob.first(kBlock))); }

uint64_t Unpack(Bytes blob, const std::filesystem::path& folder, uint64_t max_bytes) {
  if (IsGzip(blob)) {
    Gzip source(blob);
    return TarReader(source, folder, max_bytes).Unpack();
  }
  Plain source(blob);
  return TarReader(source, folder, max_bytes).Unpack();
}

}  // namespace redoubt::backends::tf
