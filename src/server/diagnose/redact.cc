#include "server/diagnose/redact.h"

#include <re2/re2.h>

#include <array>

namespace redoubt::diagnose {
namespace {

struct Rule {
  RE2 pattern;
  const char* replacement;
};

const std::array<Rule, 16>& Rules() {
  static const std::array<Rule, 16> rules = {{
      // Addresses with credentials: redis://user:secret@host
      {RE2(R"((\b[a-z][a-z0-9+.-]{1,15}://[^\s:/@"']{0,80}):[^\s@/"']{1,200}@)"), R"(\1:<redacted:password>@)"},
      // Settings and commands of Redis.
      {RE2(R"((?i)(\b(?:[\w.-]*(?:requirepass|masterauth|primaryauth|key[_-]file[_-]pass)|sentinel auth-pass \S+)["']?[ \t=:]+["']?)[^\s"'<>]{1,200})"),
       R"(\1<redacted:password>)"},
      {RE2(R"((?im)((?:^|[\s"'])AUTH["']?[ \t]+(?:["']?(?:default|[\w.-]{1,40})["']?[ \t]+)?["']?)[^\s"'<>:,()]{6,200}(["']?\s*$|["']))"),
       R"(\1<redacted:password>\2)"},
      {RE2(R"((?i)(redis-cli\b[^\n]{0,200}\s(?:-a|--pass)[ =])[^\s<]{1,200})"), R"(\1<redacted:password>)"},
      {RE2(R"((?i)(ACL["']?[ \t]+["']?SETUSER\b[^\n]{0,300}\s["']?[>#])[^\s"'<]{1,200})"), R"(\1<redacted:password>)"},
      // key = value of any configuration or log. A name has no \b before its last word: '_' is part of words.
      {RE2(R"((?i)((?:\b[\w.-]*(?:password|passwd|passphrase|secret|pwd|[_.-]pass|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token)|비밀번호|암호)["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;&<>{}]{2,200})"),
       R"(\1<redacted:password>)"},
      // "auth" alone: "auth: NOAUTH ..." is a log line, and acl_access_denied_auth counts.
      {RE2(R"((?i)((?:^|[^\w-])(?:[\w-]+\.)*auth["']?\s{0,3}=\s{0,3}["']?|["']auth["']\s{0,3}:\s{0,3}["'])[^\s"',;&<>{}]{2,200})"),
       R"(\1<redacted:password>)"},
      {RE2(R"((?i)(\b[\w.-]*(?:access|api|refresh|session|id|client)[_-]?token["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;&<>{}]{2,400})"),
       R"(\1<redacted:token>)"},
      {RE2(R"((?i)(\b[\w.-]*(?:token|bearer)["']?\s{0,3}[:=]\s{0,3}["']?)[\w.~+/=-]{8,400})"), R"(\1<redacted:token>)"},
      {RE2(R"((?i)(\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic)\s+|\bbearer\s+)[\w.~+/=-]{8,400})"),
       R"(\1<redacted:token>)"},
      {RE2(R"(\beyJ[\w-]{10,600}\.[\w-]{10,600}\.[\w-]{5,600})"), "<redacted:token>"},
      {RE2(R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bsk-[\w-]{16,200}|\bgh[pousr]_\w{20,200}|\bxox[abps]-[\w-]{10,200})"),
       "<redacted:token>"},
      // People.
      {RE2(R"(\b[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b)"),
       "<redacted:email>"},
      {RE2(R"(\b\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s?-\s?[1-8]\d{6}\b)"), "<redacted:resident-number>"},
      {RE2(R"((^|[^\d.:-])(?:\+82[- ]?|0)1[016789][- .]?\d{3,4}[- .]?\d{4}\b)"), R"(\1<redacted:phone>)"},
      {RE2(R"((^|[^\d.:-])(?:0(?:2|[3-6]\d)[-) ]\s?\d{3,4}-\d{4}|\+\d{1,3}[ -]\(?\d{1,4}\)?[ -]\d{3,4}[ -]\d{3,4})\b)"),
       R"(\1<redacted:phone>)"},
  }};
  return rules;
}

}  // namespace

std::string Redact(std::string_view text) {
  std::string out(text);
  for (const Rule& rule : Rules()) RE2::GlobalReplace(&out, rule.pattern, rule.replacement);
  return out;
}

std::string RedactValue(std::string_view name, std::string_view value) {
  if (value.empty()) return std::string();
  // What the name alone does to a harmless value.
  std::string head = std::string(name) + "=";
  std::string told = Redact(head + "harmless");
  if (told.starts_with(head + "<redacted:")) return told.substr(head.size());
  return Redact(value);
}

}  // namespace redoubt::diagnose
