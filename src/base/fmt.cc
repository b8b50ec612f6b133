// The one copy of fmt's own code. Debian has it only as a shared library, which redisai.so would drag into every server
// that loads it; its headers hold the same code, compiled here once instead of in every file that formats.
#include <fmt/format-inl.h>

// What fmt/format.h declares "extern template", for the one character type that we format.
template FMT_API fmt::detail::thousands_sep_result<char> fmt::detail::thousands_sep_impl<char>(locale_ref);
template FMT_API char fmt::detail::decimal_point_impl<char>(locale_ref);
