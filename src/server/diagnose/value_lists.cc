#include "server/diagnose/value_lists.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <vector>

namespace redoubt::diagnose {
namespace {

using Piece = re2::StringPiece;
using Take = std::function<void(std::span<const ValueSpan>)>;

constexpr size_t kMaxRawArguments = 64;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); }

size_t SkipBlanks(std::string_view text, size_t pos) {
  while (pos < text.size() && IsBlank(text[pos])) ++pos;
  return pos;
}

// The end of the line that `pos` is in, without its "\r\n".
size_t LineEnd(std::string_view text, size_t pos) {
  size_t end = std::min(text.find('\n', pos), text.size());
  return end > pos && text[end - 1] == '\r' ? end - 1 : end;
}

size_t NextLine(std::string_view text, size_t pos) {
  size_t end = text.find('\n', pos);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Behind "12) " at `pos`; `pos` itself where there is none.
size_t SkipMarker(std::string_view text, size_t pos) {
  size_t at = pos;
  while (at < text.size() && at - pos < 7 && IsDigit(text[at])) ++at;
  bool marker = at > pos && at + 1 < text.size() && text[at] == ')' && IsBlank(text[at + 1]);
  return marker ? SkipBlanks(text, at + 1) : pos;
}

// "4) 1) "AUTH"" opens two lists; the column of a marker's ')' tells to which list the next line belongs.
class PrintedLists {
 public:
  explicit PrintedLists(const Take& take) : take_(take) {}
  ~PrintedLists() { CloseFrom(0); }

  void AddLine(std::string_view text, size_t begin, size_t end) {
    size_t pos = SkipBlanks(text, begin);
    size_t column = 0;
    bool any = false;
    for (size_t next = SkipMarker(text, pos); next != pos; next = SkipMarker(text, pos)) {
      column = text.find(')', pos) - begin;
      bool first_of_list = text[pos] == '1' && text[pos + 1] == ')';
      if (!any || first_of_list) CloseFrom(first_of_list ? column : column + 1);
      any = true;
      pos = next;
    }
    if (!any) return CloseFrom(0);
    while (end > pos && IsBlank(text[end - 1])) --end;
    if (pos >= end) return;
    bool quoted = end - pos >= 2 && text[pos] == '"' && text[end - 1] == '"';
    open_[column].push_back(quoted ? ValueSpan{pos + 1, end - 1} : ValueSpan{pos, end});
  }

 private:
  void CloseFrom(size_t column) {
    for (auto it = open_.lower_bound(column); it != open_.end(); it = open_.erase(it)) take_(it->second);
  }

  const Take& take_;
  std::map<size_t, std::vector<ValueSpan>> open_;  // by column
};

void TakePrinted(std::string_view text, const Take& take) {
  PrintedLists lists(take);
  for (size_t pos = 0; pos < text.size(); pos = NextLine(text, pos)) lists.AddLine(text, pos, LineEnd(text, pos));
}

// Where the word in quotes that begins at `pos` ends; npos where nothing closes it on its line.
size_t WordEnd(std::string_view text, size_t pos, std::string_view quote) {
  for (; pos < text.size() && text[pos] != '\n'; ++pos) {
    if (text.substr(pos, quote.size()) == quote) return pos;
    if (text[pos] == '\\') ++pos;
  }
  return std::string_view::npos;
}

// Whether only what separates the words of one list stands between them: blanks, "2) ", "=>", or a comma, behind which
// the line may end.
bool OnlySeparators(std::string_view gap) {
  size_t pos = SkipBlanks(gap, 0);
  if (gap.substr(pos).starts_with("=>")) {
    pos += 2;
  } else if (pos < gap.size() && gap[pos] == ',') {
    ++pos;
    while (pos < gap.size() && (gap[pos] == '\n' || gap[pos] == '\r' || IsBlank(gap[pos]))) ++pos;
  }
  pos = SkipBlanks(gap, pos);
  for (size_t next = SkipMarker(gap, pos); next != pos; next = SkipMarker(gap, pos)) pos = next;
  return pos == gap.size();
}

void TakeQuoted(std::string_view text, std::string_view quote, const Take& take) {
  std::vector<ValueSpan> list;
  auto flush = [&] {
    if (list.size() > 1) take(list);
    list.clear();
  };
  for (size_t pos = text.find(quote), after = 0; pos != std::string_view::npos; pos = text.find(quote, after)) {
    after = pos + quote.size();
    if (quote == "'" && pos > 0 && IsWord(text[pos - 1])) continue;  // an apostrophe
    ValueSpan word{after, WordEnd(text, after, quote)};
    if (word.end == std::string_view::npos) {
      after = NextLine(text, after);
      continue;
    }
    size_t behind = list.empty() ? pos : list.back().end + quote.size();
    if (!OnlySeparators(text.substr(behind, pos - behind))) flush();
    list.push_back(word);
    after = word.end + quote.size();
  }
  flush();
}

// "*2 $4 AUTH $8 password", each followed by an end of line; also with the four characters \r\n, as strace prints it.
void TakeResp(std::string_view text, const Take& take) {
  static const RE2 head(R"((?:\*(\d{1,7})(?:\r?\n|\\r\\n))?\$\d{1,9}(\r?\n|\\r\\n))");
  std::vector<ValueSpan> list;
  size_t list_end = std::string_view::npos, room = 0;
  Piece found[3];
  Piece whole(text.data(), text.size());
  auto flush = [&] {
    if (list.size() > 1) take(list);
    list.clear();
  };
  for (size_t pos = 0; head.Match(whole, pos, whole.size(), RE2::UNANCHORED, found, 3);) {
    size_t begin = static_cast<size_t>(found[0].data() - text.data());
    ValueSpan value{begin + found[0].size(), 0};
    std::string_view line_end(found[2].data(), found[2].size());
    value.end = std::min(text.find(line_end, value.begin), text.size());
    if (begin != list_end || !found[1].empty() || list.size() == room) {
      flush();
      room = found[1].empty() ? std::string_view::npos : std::stoul(std::string(found[1]));
    }
    list.push_back(value);
    pos = list_end = std::min(value.end + line_end.size(), text.size());
  }
  flush();
}

// In a raw SLOWLOG the arguments follow the line of the duration and end with the client's address.
void TakeRaw(std::string_view text, const Take& take) {
  static const RE2 command(R"((?mi)^\d+\r?\n(auth|hello|migrate|acl|config|sentinel)\r?$)");
  static const RE2 address(R"((?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F:]{3,}\]?):\d{1,5}|/\S+:0)");
  Piece whole(text.data(), text.size());
  Piece found[2];
  for (size_t pos = 0; command.Match(whole, pos, whole.size(), RE2::UNANCHORED, found, 2);) {
    pos = static_cast<size_t>(found[1].data() - text.data());
    std::vector<ValueSpan> list;
    while (pos < text.size() && list.size() < kMaxRawArguments) {
      ValueSpan line{pos, LineEnd(text, pos)};
      if (line.begin == line.end || RE2::FullMatch(Piece(text.data() + pos, line.end - pos), address)) break;
      list.push_back(line);
      pos = NextLine(text, pos);
    }
    take(list);
  }
}

}  // namespace

void ForEachList(std::string_view text, const Take& take) {
  TakePrinted(text, take);
  // \" as in a log line that is a string of JSON itself.
  for (std::string_view quote : {"\"", "'", "\\\""}) TakeQuoted(text, quote, take);
  TakeResp(text, take);
  TakeRaw(text, take);
}

}  // namespace redoubt::diagnose
