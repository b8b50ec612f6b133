#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/monitor/info.h"
#include "server/monitor/sample.h"

namespace redoubt::diagnose {

enum class LineKind : uint8_t {
  kBlank,
  kServerLog,  // of Redis, Valkey or Sentinel
  kOtherLog,   // starts with a time or a level, or is a frame of a stack trace
  kField,      // "name:value" of INFO, or a setting
  kTable,      // a row of SLOWLOG, CLIENT LIST, CLUSTER NODES, LATENCY
  kProse,
};

// One line of the text. Views live as long as the Recognised that holds it.
struct Line {
  uint32_t number = 0;  // 1-based
  LineKind kind = LineKind::kProse;
  char role = 0;  // of a server log: M, S, C (child), X (Sentinel); 0 when it does not say
  std::string_view whole;
  std::string_view body;  // without prefixes of docker, kubectl, syslog, and without the log's own head
  std::string_view at;    // the time as it stands there; empty when there is none
};

struct ClusterNode {
  std::string id, address, flags;
  bool open_slots = false;  // importing or migrating
};

// What a pasted text turned out to hold. Any bytes are accepted; work and memory are linear in their number.
struct Recognised {
  std::unique_ptr<std::string> text;  // as UTF-8
  std::vector<Line> lines;
  monitor::InfoFields fields;
  std::map<std::string, uint32_t, std::less<>> field_lines;  // where a field stood
  monitor::ConfigValues config;
  std::vector<monitor::SlowlogEntry> slowlog;
  std::vector<monitor::ClientRow> clients;
  std::vector<std::pair<std::string, std::string>> latency;  // event -> "latest_ms=..,max_ms=.."
  std::vector<ClusterNode> nodes;
  std::string decoded_from;  // "CP949", "UTF-16", "mis-decoded UTF-8"; empty when it was UTF-8
  std::string version, role, managed, topology;
  size_t prose_bytes = 0;
  size_t server_log_lines = 0;
};

Recognised Recognise(std::string_view bytes);

// UTF-8 from whatever the bytes are; `from` says what they were when they were not UTF-8.
std::string DecodeText(std::string_view bytes, std::string& from);

// True for a name that INFO of some Redis or Valkey reports.
bool IsInfoField(std::string_view name);

}  // namespace redoubt::diagnose
