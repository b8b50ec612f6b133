#include "server/diagnose/recogniser.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "server/diagnose/line_head.h"
#include "server/diagnose/settings.h"
#include "server/diagnose/tables.h"

namespace redoubt::diagnose {
namespace {

using Piece = re2::StringPiece;

constexpr size_t kMaxLineBytes = 64u << 10;   // a longer line is looked at up to here
constexpr size_t kFieldScanBytes = 4u << 20;  // fields inside sentences are looked for in so much text

void SplitLines(Recognised& out) {
  std::string_view text = *out.text;
  uint32_t number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    Line line;
    line.number = ++number;
    line.whole = text.substr(0, std::min(end, kMaxLineBytes));
    ReadLineHead(line);
    out.lines.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

void KeepField(Recognised& out, std::string_view name, std::string_view value, uint32_t line) {
  while (!value.empty() &&
         (value.back() == '\r' || value.back() == ' ' || value.back() == '"' || value.back() == ',')) {
    value.remove_suffix(1);
  }
  if (value.empty() || value.size() > 1024 || out.fields.Has(name)) return;
  out.fields.Set(name, value);
  out.field_lines.emplace(name, line);
}

// "name:value" alone on its line, as INFO prints it; also "name value" of redis.conf.
void ReadFieldLine(Recognised& out, Line& line) {
  static const RE2 field(R"re(^\s*"?([a-z][a-zA-Z0-9_|]{1,63})"?\s?[:=]\s?"?([^"]+?)"?,?$)re");
  static const RE2 setting(R"(^\s*([a-z][a-z-]{1,40}) +(\S.*)$)");
  std::string_view body = line.body.substr(0, 1200);
  Piece piece(body.data(), body.size());
  std::string name, value;
  if (RE2::FullMatch(piece, field, &name, &value) && IsInfoField(name)) {
    KeepField(out, name, value, line.number);
    line.kind = LineKind::kField;
  } else if (body.size() < 160 && RE2::FullMatch(piece, setting, &name, &value) && IsSetting(name) &&
             value.find(' ') == std::string::npos) {
    out.config.emplace(name, value);
    out.field_lines.emplace("config." + name, line.number);
    line.kind = LineKind::kField;
  }
}

// "used_memory_human:2.22M" and "maxmemory-policy noeviction" inside a sentence.
void ReadFieldsInText(Recognised& out) {
  static const RE2 field(
      R"re(\b([a-z][a-z0-9]*_[a-z0-9_]+|loading|role|maxmemory|maxclients)"?\s?[:=]\s?"?([\w.%/+-]+))re");
  static const RE2 setting(
      R"(\b(maxmemory-policy|appendfsync|appendonly|stop-writes-on-bgsave-error|no-appendfsync-on-rewrite|activedefrag|tcp-keepalive|repl-backlog-size|cluster-node-timeout|maxmemory|maxclients|timeout|save)[ :=]+"?(noeviction|allkeys-\w+|volatile-\w+|everysec|always|yes|no|\d+(?:kb|mb|gb|k|m|g)?)\b)");
  size_t scanned = 0;
  for (const Line& line : out.lines) {
    if (line.kind == LineKind::kField || line.kind == LineKind::kBlank || line.kind == LineKind::kServerLog) continue;
    scanned += line.whole.size();
    if (scanned > kFieldScanBytes) return;
    std::string name, value;
    Piece rest(line.whole.data(), line.whole.size());
    while (RE2::FindAndConsume(&rest, field, &name, &value)) {
      while (!value.empty() && (value.back() == '.' || value.back() == '-')) value.pop_back();
      if (IsInfoField(name)) KeepField(out, name, value, line.number);
    }
    rest = Piece(line.whole.data(), line.whole.size());
    while (RE2::FindAndConsume(&rest, setting, &name, &value)) {
      if (out.config.emplace(name, value).second) out.field_lines.emplace("config." + name, line.number);
    }
  }
}

std::string ManagedBy(std::string_view text) {
  struct Provider {
    const char* slug;
    RE2 pattern;
  };
  static const std::array<Provider, 8> kProviders = {{
      {"elasticache", RE2(R"((?i)elasticache|cache\.amazonaws\.com)")},
      {"memorydb", RE2(R"((?i)\bmemorydb\b)")},
      {"memorystore", RE2(R"((?i)\bmemorystore\b)")},
      {"azure", RE2(R"((?i)redis\.cache\.windows\.net|azure (?:cache|managed redis|redis))")},
      {"redis-cloud", RE2(R"((?i)redis cloud|redislabs\.com|redis-cloud\.com|cloud\.redislabs|redns\.redis-cloud)")},
      {"upstash", RE2(R"((?i)\bupstash\b)")},
      {"heroku", RE2(R"((?i)\bheroku\b)")},
      {"aiven", RE2(R"((?i)aivencloud|\baiven\b)")},
  }};
  Piece piece(text.data(), std::min<size_t>(text.size(), 256u << 10));
  for (const Provider& provider : kProviders) {
    if (RE2::PartialMatch(piece, provider.pattern)) return provider.slug;
  }
  return "";
}

std::string VersionOf(const Recognised& out) {
  for (const char* name : {"valkey_version", "redis_version"}) {
    if (auto version = out.fields.Text(name)) return std::string(*version);
  }
  static const RE2 pattern(
      R"((?i)(?:(?:redis|valkey)(?:[ _-](?:server|version|ver|v))?(?: version)?[ =:v]{1,3}|(?:redis|valkey):|\bv)(\d{1,2}\.\d{1,2}(?:\.\d{1,3})?)\b)");
  std::string version;
  std::string_view text = *out.text;
  RE2::PartialMatch(Piece(text.data(), std::min<size_t>(text.size(), 256u << 10)), pattern, &version);
  return version;
}

void ReadContext(Recognised& out) {
  out.version = VersionOf(out);
  out.managed = ManagedBy(*out.text);
  size_t sentinel = 0, replica = 0, primary = 0;
  for (const Line& line : out.lines) {
    if (line.kind == LineKind::kServerLog) ++out.server_log_lines;
    if (line.kind == LineKind::kProse) out.prose_bytes += line.body.size();
    sentinel += line.role == 'X';
    replica += line.role == 'S';
    primary += line.role == 'M';
  }
  if (auto role = out.fields.Text("role")) {
    out.role = *role == "slave" ? "replica" : *role == "master" ? "primary" : std::string(*role);
  } else if (replica + primary > 0) {
    out.role = replica > primary ? "replica" : "primary";
  }
  auto cluster = out.fields.Text("cluster_enabled");
  if (cluster == "1" || !out.nodes.empty() || out.fields.Has("cluster_state")) {
    out.topology = "cluster";
  } else if (sentinel > 0) {
    out.topology = "sentinel";
  } else if (out.fields.Number("connected_slaves").value_or(0) > 0 || out.role == "replica") {
    out.topology = "replication";
  } else if (cluster == "0") {
    out.topology = "standalone";
  }
}

}  // namespace

Recognised Recognise(std::string_view bytes) {
  Recognised out;
  out.text = std::make_unique<std::string>(DecodeText(bytes, out.decoded_from));
  SplitLines(out);
  for (Line& line : out.lines) {
    if (line.kind == LineKind::kProse || line.kind == LineKind::kOtherLog) ReadFieldLine(out, line);
  }
  ReadTables(out);
  ReadFieldsInText(out);
  ReadContext(out);
  return out;
}

}  // namespace redoubt::diagnose
