#include "server/diagnose/tables.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "server/diagnose/settings.h"

namespace redoubt::diagnose {
namespace {

using Piece = re2::StringPiece;

constexpr size_t kMaxRows = 10'000;

// One printed value of a nested reply: how many "n) " stood before it, and what it is.
struct Printed {
  int opened = 0;  // markers on this line: a list began with each but the last
  size_t indent = 0;
  bool integer = false;
  int64_t number = 0;
  std::string text;
};

std::optional<Printed> ParsePrinted(std::string_view line) {
  Printed out;
  size_t pos = 0;
  while (pos < line.size() && line[pos] == ' ') ++pos;
  out.indent = pos;
  while (true) {
    size_t digits = pos;
    while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
    if (digits == pos || digits - pos > 6 || digits + 1 >= line.size() || line[digits] != ')' ||
        line[digits + 1] != ' ') {
      break;
    }
    pos = digits + 2;
    ++out.opened;
    while (pos < line.size() && line[pos] == ' ') ++pos;
  }
  if (out.opened == 0) return std::nullopt;
  std::string_view value = line.substr(pos);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\r')) value.remove_suffix(1);
  constexpr std::string_view kInteger = "(integer) ";
  if (value.starts_with(kInteger)) {
    value.remove_prefix(kInteger.size());
    out.integer = std::from_chars(value.data(), value.data() + value.size(), out.number).ec == std::errc();
    return out;
  }
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  out.text = std::string(value.substr(0, 4096));
  return out;
}

bool LooksLikeAddress(const std::string& text) {
  return RE2::FullMatch(text, R"((?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F:]{3,}\]?):\d{1,5}|/\S+:0)");
}

// Values come one by one; a line that opens two lists begins a new row.
class ReplyReader {
 public:
  explicit ReplyReader(Recognised& out) : out_(out) {}
  ~ReplyReader() { Flush(); }

  bool Add(const Line& line) {
    std::optional<Printed> printed = ParsePrinted(line.whole);
    if (!printed) {
      Flush();
      return false;
    }
    if (printed->opened >= 2 && printed->indent == 0) Flush();
    if (row_.size() < 200) row_.push_back(std::move(*printed));
    return true;
  }

  void Flush() {
    if (!row_.empty()) Take();
    row_.clear();
  }

 private:
  void Take() {
    if (row_.size() >= 4 && row_[0].integer && row_[1].integer && row_[2].integer && !row_[3].integer) {
      TakeSlowlog();
    } else if (row_.size() == 4 && !row_[0].integer && row_[1].integer && row_[2].integer && row_[3].integer) {
      if (out_.latency.size() < kMaxRows) {
        out_.latency.emplace_back(
            row_[0].text, "latest_ms=" + std::to_string(row_[2].number) + ",max_ms=" + std::to_string(row_[3].number));
      }
    } else {
      for (size_t i = 0; i + 1 < row_.size(); i += 2) {
        if (IsSetting(row_[i].text)) out_.config.emplace(row_[i].text, row_[i + 1].text);
      }
    }
  }

  void TakeSlowlog() {
    if (out_.slowlog.size() >= kMaxRows) return;
    monitor::SlowlogEntry entry;
    entry.id = row_[0].number;
    entry.at_ms = row_[1].number * 1000;
    entry.duration_us = row_[2].number;
    for (size_t i = 3; i < row_.size(); ++i) {
      if (i > 3 && entry.client_addr.empty() && LooksLikeAddress(row_[i].text)) {
        entry.client_addr = row_[i].text;
      } else if (!entry.client_addr.empty()) {
        entry.client_name = row_[i].text;
      } else {
        entry.args.push_back(row_[i].text);
      }
    }
    out_.slowlog.push_back(std::move(entry));
  }

  Recognised& out_;
  std::vector<Printed> row_;
};

// "07c37df... 127.0.0.1:30004@31004 slave,fail e7d1... 0 1426238317239 4 connected 0-5460 [93-<-292f]"
std::optional<ClusterNode> ParseNode(std::string_view line) {
  static const RE2 pattern(
      R"(^\s*([0-9a-f]{40}) (\S{1,120}) ((?:myself,)?(?:master|slave|replica|handshake|noaddr)[\w,?]*) (.*)$)");
  ClusterNode node;
  std::string rest;
  if (!RE2::FullMatch(Piece(line.data(), line.size()), pattern, &node.id, &node.address, &node.flags, &rest)) {
    return std::nullopt;
  }
  node.open_slots = rest.find("->-") != std::string::npos || rest.find("-<-") != std::string::npos;
  return node;
}

}  // namespace

monitor::ClientRow ParseClientRow(std::string_view line) {
  monitor::ClientRow row;
  size_t start = line.find("id=");
  if (start == std::string_view::npos || line.find("addr=") == std::string_view::npos) return row;
  line = line.substr(start);
  while (!line.empty()) {
    size_t space = line.find(' ');
    std::string_view pair = line.substr(0, space);
    if (size_t equals = pair.find('='); equals != std::string_view::npos && row.size() < 60) {
      row.emplace(pair.substr(0, equals), pair.substr(equals + 1, 200));
    }
    if (space == std::string_view::npos) break;
    line.remove_prefix(space + 1);
  }
  if (!row.contains("flags") && !row.contains("cmd")) row.clear();
  return row;
}

void ReadTables(Recognised& out) {
  ReplyReader reply(out);
  for (Line& line : out.lines) {
    if (line.kind == LineKind::kServerLog || line.kind == LineKind::kBlank) {
      reply.Flush();
      continue;
    }
    std::string_view body = line.body.substr(0, 4096);
    if (reply.Add(line)) {
      line.kind = LineKind::kTable;
    } else if (body.size() > 41 && body.substr(0, 60).find("id=") != std::string_view::npos) {
      monitor::ClientRow row = ParseClientRow(body);
      if (row.empty()) continue;
      if (out.clients.size() < kMaxRows) out.clients.push_back(std::move(row));
      line.kind = LineKind::kTable;
    } else if (body.size() > 60) {
      std::optional<ClusterNode> node = ParseNode(body);
      if (!node) continue;
      if (out.nodes.size() < kMaxRows) out.nodes.push_back(std::move(*node));
      line.kind = LineKind::kTable;
    }
  }
}

}  // namespace redoubt::diagnose
