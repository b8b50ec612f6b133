#include "server/diagnose/redact.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "server/diagnose/value_lists.h"

namespace redoubt::diagnose {
namespace {

using Piece = re2::StringPiece;

constexpr std::string_view kPassword = "<redacted:password>";
constexpr std::string_view kToken = "<redacted:token>";

// Names of settings of Redis, and of anything else, whose value is a secret. They have no \b before their last word:
// '_' is part of words.
constexpr std::string_view kSettingNames =
    R"([\w.-]*(?:requirepass|masterauth|primaryauth|key[_-]file[_-]pass|sentinel-pass|auth-pass))";
constexpr std::string_view kSecretNames =
    R"((?:[\w.-]*(?:(?:password|passwd|passphrase|passcode|secret|pwd|[_.-]pass|(?:redis|db|user|admin|root)pass)"
    R"(|(?:api|access|private|encryption|secret|signing|shared|master|account)[_-]?key|auth[_-]?token)(?:[_-]?hash)?)"
    R"(|credentials?|creds)|비밀번호|패스워드|암호))";

// What stands between a name and its value.
constexpr std::string_view kColon = R"((?:\\?["'])?\s{0,3}(?:=>|[:=])\s{0,3})";

template <class... Parts>
std::string Pattern(const Parts&... parts) {
  std::string out;
  (out += ... += parts);
  return out;
}

enum class Ends {
  kAtBlank,        // a word of a command or a configuration file
  kAtPunctuation,  // a value in running text, where a list may go on: "a=1, b=2"
};

// Where `head` ends a secret begins, in quotes or without.
struct Secret {
  RE2 head;
  std::string_view replacement;
  Ends ends = Ends::kAtBlank;
};

const std::array<Secret, 9>& Secrets() {
  static const std::array<Secret, 9> secrets = {{
      // CONFIG SET requirepass x, "requirepass": "x", sentinel auth-pass mymaster x
      {RE2(Pattern(R"((?i)(?:\bsentinel[ \t]+auth-pass[ \t]+\S+|)", kSettingNames,
                   R"()(?:\\?["'])?(?:[ \t]*(?:=>|[:=])[ \t]*|["'],[ \t]*|[ \t]+))")),
       kPassword},
      // One of them alone on its line, its value on the next: redis-cli --raw, arguments in YAML.
      {RE2(Pattern(R"((?im)^[ \t]*(?:- +)?["']?)", kSettingNames, R"(["']?[ \t]*\r?\n[ \t]*(?:- +)?)")), kPassword},
      {RE2(R"((?i)\bHELLO[ \t]+\d[ \t]+AUTH[ \t]+\S+[ \t]+)"), kPassword},
      {RE2(R"((?i)\bMIGRATE[ \t]+\S+[ \t]+\d+[ \t][^\n]*?[ \t]AUTH(?:2[ \t]+\S+)?[ \t]+)"), kPassword},
      {RE2(R"((?i)\b(?:redis|valkey|keydb)-(?:cli|benchmark)\b[^\n]*?\s(?:-a|--pass)[ =]+)"), kPassword},
      {RE2(Pattern(R"(\b[A-Z0-9_]*_AUTH)", kColon)), kPassword},
      {RE2(Pattern("(?i)", kSecretNames, kColon)), kPassword, Ends::kAtPunctuation},
      // "auth" and "pass" alone: "auth: NOAUTH ..." is a log line, and acl_access_denied_auth counts.
      {RE2(R"((?im)(?:(?:^|[^\w-])(?:[\w-]+\.)*(?:auth|pass)(?:\\?["'])?\s{0,3}=\s{0,3})"
           R"(|["'](?:auth|pass)\\?["']\s{0,3}:\s{0,3}\\?["']|^\s*pass:[ \t]+))"),
       kPassword, Ends::kAtPunctuation},
      {RE2(Pattern(R"((?i)\b[\w.-]*(?:access|api|refresh|session|id|client)[_-]?token)", kColon)), kToken,
       Ends::kAtPunctuation},
  }};
  return secrets;
}

struct Rule {
  RE2 pattern;
  const char* replacement;
};

const std::array<Rule, 13>& Rules() {
  static const std::array<Rule, 13> rules = {{
      // Addresses with credentials: redis://user:secret@host
      {RE2(R"((\b[a-z][a-z0-9+.-]{1,15}://[^\s:/@"']{0,80}):[^\s@/"']+@)"), R"(\1:<redacted:password>@)"},
      // AUTH as a whole command: on a line of its own, or behind a prompt.
      {RE2(R"((?im)((?:^|>)[ \t]*AUTH[ \t]+(?:[^\s"']+[ \t]+)?)[^\s"'<]\S*([ \t]*\r?$))"),
       R"(\1<redacted:password>\2)"},
      {RE2(R"((?im)((?:^|[\s>])AUTH[ \t]+(?:["']?[\w.:@-]+["']?[ \t]+)?["'])[^"'\n<][^"'\n]*)"),
       R"(\1<redacted:password>)"},
      // Within a line a word may as well be the next of a sentence.
      {RE2(R"((?im)([\s"']AUTH[ \t]+(?:(?:default|[\w.-]{1,40})[ \t]+)?)[^\s"'<>:,()]{6,}(["']?\s*$|["']))"),
       R"(\1<redacted:password>\2)"},
      {RE2(R"((?i)#[0-9a-f]{64}\b)"), "#<redacted:password>"},
      {RE2(R"((?i)(\b[\w.-]*(?:token|bearer)["']?\s{0,3}[:=]\s{0,3}["']?)[\w.~+/=-]{8,})"), R"(\1<redacted:token>)"},
      {RE2(R"((?i)(\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic)\s+|\bbearer\s+)[\w.~+/=-]{8,})"),
       R"(\1<redacted:token>)"},
      {RE2(R"(\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})"), "<redacted:token>"},
      {RE2(R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bsk-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bxox[abps]-[\w-]{10,})"),
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

bool Matches(std::string_view text, const RE2& pattern) {
  return RE2::FullMatch(Piece(text.data(), text.size()), pattern);
}

// "<password>" as documentation writes it, and what was replaced before.
bool IsPlaceholder(std::string_view line) {
  return line.starts_with('<') && line.substr(0, std::min<size_t>(line.find('\n'), 80)).find('>') != std::string::npos;
}

// ---- secrets in lists of values ----

bool IsSecretName(std::string_view word) {
  static const RE2 names(Pattern("(?i)", kSettingNames, "|", kSecretNames));
  return word.size() < 100 && Matches(word, names);
}

// Collects which values of a list are secrets, read as a command or as names with values.
class ListSecrets {
 public:
  ListSecrets(std::string_view text, std::vector<ValueSpan>& out) : text_(text), out_(out) {}

  void Add(std::span<const ValueSpan> list) {
    static const RE2 auth("(?i)auth"), hello("(?i)hello"), migrate("(?i)migrate"), acl("(?i)acl"),
        setuser("(?i)setuser"), auth2("(?i)auth2"), cli(R"((?:\S*/)?(?:redis|valkey|keydb)-(?:cli|benchmark))"),
        pass("-a|--pass"), hash("(?i)[0-9a-f]{64}");
    list_ = list;
    bool is_acl = Is(0, acl) && Is(1, setuser), is_hello = Is(0, hello), is_migrate = Is(0, migrate);
    bool is_shell = false;
    if (Is(0, auth)) Take(list.size() > 2 ? 2 : 1);
    for (size_t i = 0; i < list.size(); ++i) {
      std::string_view word = list[i].In(text_);
      is_shell = is_shell || Is(i, cli);
      if (IsSecretName(word) || (is_shell && Is(i, pass)) || (is_migrate && Is(i, auth))) Take(i + 1);
      if ((is_hello && Is(i, auth)) || (is_migrate && Is(i, auth2))) Take(i + 2);
      if (is_acl && i > 2 && word.find_first_of("><#!") == 0) Take(i, 1);
      if (Is(i, hash)) Take(i);
    }
  }

 private:
  bool Is(size_t i, const RE2& what) const { return i < list_.size() && Matches(list_[i].In(text_), what); }

  // But for its first `kept` characters.
  void Take(size_t i, size_t kept = 0) {
    if (i >= list_.size()) return;
    ValueSpan value{list_[i].begin + kept, list_[i].end};
    std::string_view word = value.In(text_);
    if (!word.empty() && !IsPlaceholder(word) && word != "(redacted)" && word != "(nil)") out_.push_back(value);
  }

  std::string_view text_;
  std::vector<ValueSpan>& out_;
  std::span<const ValueSpan> list_;
};

std::string Without(std::string_view text, std::vector<ValueSpan> secrets, std::string_view replacement) {
  std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::string out;
  size_t done = 0;
  for (const ValueSpan& secret : secrets) {
    if (secret.end <= done) continue;
    if (secret.begin >= done) {
      out += text.substr(done, secret.begin - done);
      out += replacement;
    }
    done = secret.end;
  }
  return out += text.substr(done);
}

std::string RedactLists(std::string_view text) {
  std::vector<ValueSpan> secrets;
  ListSecrets reader(text, secrets);
  ForEachList(text, [&](std::span<const ValueSpan> list) { reader.Add(list); });
  return Without(text, std::move(secrets), kPassword);
}

// ---- secrets behind a name ----

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Whether a value in running text ends here: a password may hold a comma, but "a=1,b=2" are two values.
bool EndsAt(std::string_view text, size_t pos) {
  static const RE2 next(R"([\s"'\\]|[,;&]?\s*[\w.-]{1,40}["']?\s?[:=])");
  if (std::string_view(",;&(){}[]<>").find(text[pos]) == std::string::npos) return false;
  Piece rest(text.data() + pos + 1, std::min<size_t>(text.size() - pos - 1, 64));
  return rest.empty() || next.Match(rest, 0, rest.size(), RE2::ANCHOR_START, nullptr, 0);
}

std::optional<ValueSpan> SecretAt(std::string_view text, size_t pos, Ends ends) {
  size_t quote_size = text.substr(pos).starts_with("\\\"") ? 2 : 1;
  std::string_view quote = text.substr(pos, quote_size);
  bool quoted = quote == "\"" || quote == "'" || quote == "\\\"";
  ValueSpan value{quoted ? pos + quote_size : pos, 0};
  size_t end = value.begin;
  for (; end < text.size() && text[end] != '\n' && text[end] != '\r'; ++end) {
    std::string_view rest = text.substr(end);
    if (quoted && rest.starts_with(quote)) break;
    if (quoted && text[end] == '\\') ++end;
    if (quoted) continue;
    if (IsSpace(text[end]) || text[end] == '"' || rest.starts_with("\\\"")) break;
    if (ends == Ends::kAtPunctuation && (text[end] == '\'' || EndsAt(text, end))) break;
  }
  value.end = std::min(end, text.size());
  std::string_view word = value.In(text);
  bool structure = ends == Ends::kAtPunctuation && !quoted && (word.starts_with('{') || word.starts_with('['));
  if (word.empty() || structure || IsPlaceholder(text.substr(value.begin))) return std::nullopt;
  return value;
}

std::string RedactBehind(const Secret& secret, std::string_view text) {
  std::vector<ValueSpan> found;
  Piece whole(text.data(), text.size());
  Piece head;
  for (size_t pos = 0; secret.head.Match(whole, pos, whole.size(), RE2::UNANCHORED, &head, 1);) {
    pos = static_cast<size_t>(head.data() - text.data()) + head.size();
    // A head may end with the opening quote.
    if (text[pos - 1] == '"' || text[pos - 1] == '\'') pos -= head.ends_with("\\\"") ? 2 : 1;
    if (pos >= text.size()) break;
    if (auto value = SecretAt(text, pos, secret.ends)) {
      found.push_back(*value);
      pos = value->end;
    }
  }
  return Without(text, std::move(found), secret.replacement);
}

// "user bob on >password #hash ~*" of an ACL file, redis.conf or ACL LIST, and ACL SETUSER.
std::string RedactUsers(std::string_view text) {
  // A rule behind the name, so that a user in a sentence is left alone.
  static const RE2 user(R"((?i)(?:\bSETUSER[ \t]+([^\s"']+)|\buser[ \t]+([^\s"']+)[ \t]+(?:on|off|nopass|reset\w*|)"
                        R"((?:skip-)?sanitize-payload|all(?:keys|channels|commands)|[~&%+-][@\w*:(]|[>#])))");
  static const RE2 secret(R"(([ \t]["']?[>#!])([^\s"'<>][^\s"']*)|([ \t]["']?<)([^\s"'<>]+)(?:[\s"']|$))");
  std::vector<ValueSpan> found;
  Piece whole(text.data(), text.size());
  Piece name[3], parts[5];
  for (size_t pos = 0; user.Match(whole, pos, whole.size(), RE2::UNANCHORED, name, 3);) {
    const Piece& last = name[1].empty() ? name[2] : name[1];
    pos = static_cast<size_t>(last.data() - text.data()) + last.size();
    Piece line(text.data(), std::min(text.find('\n', pos), text.size()));
    while (secret.Match(line, pos, line.size(), RE2::UNANCHORED, parts, 5)) {
      const Piece& value = parts[2].empty() ? parts[4] : parts[2];
      pos = static_cast<size_t>(value.data() - text.data());
      found.push_back({pos, pos + value.size()});
      pos += value.size();
    }
    pos = line.size();
  }
  return Without(text, std::move(found), kPassword);
}

}  // namespace

std::string Redact(std::string_view text) {
  std::string out = RedactUsers(RedactLists(text));
  for (const Secret& secret : Secrets()) out = RedactBehind(secret, out);
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
