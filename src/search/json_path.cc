#include "search/json_path.h"

namespace redoubt::search {

bool MayFindSeveral(std::string_view path) {
  char quote = '\0';
  bool in_brackets = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (quote != '\0') {
      if (c == '\\') ++i;
      if (c == quote) quote = '\0';
    } else if (in_brackets && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '[' || c == ']') {
      in_brackets = c == '[';
    } else if (c == '*' || (in_brackets && (c == ',' || c == ':' || c == '?'))) {
      return true;
    } else if (c == '.' && path.substr(i).starts_with("..")) {
      return true;
    }
  }
  return false;
}

}  // namespace redoubt::search
