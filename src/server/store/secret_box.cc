#include "server/store/secret_box.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace redoubt::store {

struct SecretBox::Key {
  std::array<unsigned char, crypto_secretbox_KEYBYTES> bytes{};
  ~Key() { sodium_memzero(bytes.data(), bytes.size()); }
};

namespace {

using KeyBytes = std::array<unsigned char, crypto_secretbox_KEYBYTES>;

base::Status Failure(const std::string& what, const std::string& file) {
  return base::PermissionDenied(fmt::format("cannot {} {}: {}", what, file, std::strerror(errno)));
}

base::Status CreateKey(const std::string& file, KeyBytes& key) {
  int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Failure("create", file);
  randombytes_buf(key.data(), key.size());
  // Synced before anything is sealed with it: a lost key would be lost passwords.
  bool written = ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (written) return base::OkStatus();
  base::Status failure = Failure("write", file);
  ::unlink(file.c_str());
  return failure;
}

base::Status ReadKey(int fd, const std::string& file, KeyBytes& key) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Failure("read", file);
  if ((info.st_mode & 077) != 0) {
    return base::FailedPrecondition(fmt::format("{} can be read by others: run chmod 600 {}", file, file));
  }
  ssize_t size = ::read(fd, key.data(), key.size());
  if (size != static_cast<ssize_t>(key.size()) || info.st_size != size) {
    return base::DataLoss(
        fmt::format("{} is damaged: restore it, or move it away and enter the passwords again", file));
  }
  return base::OkStatus();
}

}  // namespace

SecretBox::SecretBox(std::unique_ptr<Key> key) : key_(std::move(key)) {}
SecretBox::SecretBox(SecretBox&&) noexcept = default;
SecretBox& SecretBox::operator=(SecretBox&&) noexcept = default;
SecretBox::~SecretBox() = default;

base::Result<SecretBox> SecretBox::Open(const std::string& key_file) {
  CHECK(sodium_init() >= 0);
  auto key = std::make_unique<Key>();
  int fd = ::open(key_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT) return Failure("open", key_file);
  if (fd < 0) {
    RETURN_IF_ERROR(CreateKey(key_file, key->bytes));
  } else {
    base::Status read = ReadKey(fd, key_file, key->bytes);
    ::close(fd);
    RETURN_IF_ERROR(read);
  }
  return SecretBox(std::move(key));
}

std::string SecretBox::Seal(std::string_view plain) const {
  std::string box(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size(), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(box.data());
  randombytes_buf(bytes, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(bytes + crypto_secretbox_NONCEBYTES, reinterpret_cast<const unsigned char*>(plain.data()),
                        plain.size(), bytes, key_->bytes.data());
  std::string text(sodium_base64_encoded_len(box.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, box.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the terminating zero
  return text;
}

base::Result<std::string> SecretBox::Unseal(std::string_view sealed) const {
  base::Status damaged =
      base::DataLoss("a sealed secret cannot be opened: the key file is another one, or it was changed");
  std::string box(sealed.size(), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(box.data());
  size_t size = 0;
  if (sodium_base642bin(bytes, box.size(), sealed.data(), sealed.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) {
    return damaged;
  }
  std::string plain(size - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), bytes + crypto_secretbox_NONCEBYTES,
                                 size - crypto_secretbox_NONCEBYTES, bytes, key_->bytes.data()) != 0) {
    return damaged;
  }
  return plain;
}

}  // namespace redoubt::store
