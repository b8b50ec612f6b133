#include "resp/reply.h"

#include <charconv>

namespace redoubt::resp {

bool Reply::IsError(std::string_view code) const {
  if (!IsError() || !std::string_view(text_).starts_with(code)) return false;
  return text_.size() == code.size() || text_[code.size()] == ' ';
}

int64_t Reply::integer() const {
  if (type_ != Type::kString && type_ != Type::kStatus) return integer_;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  return error == std::errc() && end == text_.data() + text_.size() ? value : 0;
}

}  // namespace redoubt::resp
