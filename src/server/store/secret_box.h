#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::store {

// Seals passwords for the database with a key that lies beside it (XSalsa20-Poly1305, libsodium's secretbox), so that
// a copy of the database alone opens nothing. Safe on many threads.
class SecretBox {
 public:
  // Creates the key file (mode 0600) when it is missing. FailedPrecondition when others may read it, DataLoss when it
  // has the wrong size.
  static base::Result<SecretBox> Open(const std::string& key_file);
  SecretBox(SecretBox&&) noexcept;
  SecretBox& operator=(SecretBox&&) noexcept;
  ~SecretBox();

  // Base64 text, different each time.
  std::string Seal(std::string_view plain) const;
  // DataLoss when it was sealed with another key or changed.
  base::Result<std::string> Unseal(std::string_view sealed) const;

 private:
  struct Key;
  explicit SecretBox(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

}  // namespace redoubt::store
