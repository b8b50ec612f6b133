#include "server/monitor/capability_probe.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace redoubt::monitor {

using base::LocalText;
using base::Result;

namespace {

struct Probe {
  std::string_view name;
  std::vector<std::string> command;
  std::vector<LocalText> costs;
};

std::vector<Probe> Probes(int64_t own_id) {
  std::vector<std::string> client_list = {"CLIENT", "LIST", "ID", std::to_string(own_id)};
  if (own_id <= 0) client_list = {"CLIENT", "LIST", "TYPE", "pubsub"};  // before 6.2 the list takes no ids
  return {
      {"INFO", {"INFO", "server"}, {{"모든 지표, 경고, 실시간 장애 분석", "all metrics, alerts and live diagnosis"}}},
      {"CONFIG",
       {"CONFIG", "GET", "maxmemory"},
       {{"설정 오류 진단(저장 정책, 출력 버퍼 한도, timeout)",
         "wrong settings (save policy, output buffer limits, timeout)"},
        {"설정 정책 대비 오래된 백업 경고", "backups that are older than the save policy"},
        {"장애 주입 전 안전 확인", "safety checks before fault injection"}}},
      {"SLOWLOG",
       {"SLOWLOG", "LEN"},
       {{"느린 명령(KEYS, 큰 컬렉션 조회, Lua) 원인 진단", "which command is slow (KEYS, big reads, Lua)"}}},
      {"LATENCY",
       {"LATENCY", "LATEST"},
       {{"fork, AOF fsync, 만료 주기 등 지연 원인 구분", "telling fork, AOF fsync and expiry stalls apart"}}},
      {"CLIENT LIST",
       std::move(client_list),
       {{"커넥션 누수와 최대 클라이언트 원인 주소 확인", "connection leaks and who fills maxclients"},
        {"출력 버퍼가 큰 클라이언트 찾기", "clients with large output buffers"},
        {"MONITOR가 켜진 채 남은 클라이언트 찾기", "a MONITOR that was left on"}}},
      {"CLUSTER", {"CLUSTER", "INFO"}, {{"클러스터 슬롯·노드 장애 진단", "cluster slot and node failures"}}},
      {"ACL LOG",
       {"ACL", "LOG", "1"},
       {{"인증 실패와 권한 거부의 출처 확인", "where failed logins and denied commands come from"}}},
  };
}

bool Contains(const std::string& text, std::string_view part) {
  auto equal = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), equal) != text.end();
}

int MajorVersion(std::string_view version) {
  int major = 0;
  for (char c : version) {
    if (c < '0' || c > '9') break;
    major = std::min(major * 10 + (c - '0'), 1000);
  }
  return major;
}

}  // namespace

Capability::State StateOf(const resp::Reply& reply) {
  if (!reply.IsError()) return Capability::State::kAllowed;
  for (std::string_view passing : {"LOADING", "BUSY", "MASTERDOWN"}) {
    if (reply.IsError(passing)) return Capability::State::kAllowed;
  }
  const std::string text = reply.text();
  if (Contains(text, "cluster support disabled")) return Capability::State::kAllowed;
  if (reply.IsError("NOPERM")) return Capability::State::kDenied;
  if (Contains(text, "unknown command") || Contains(text, "unknown subcommand")) return Capability::State::kAbsent;
  return Capability::State::kDenied;
}

Result<Capabilities> ProbeCapabilities(resp::Client& client, std::string_view server_version) {
  std::vector<Probe> probes = Probes(client.id());
  std::vector<std::vector<std::string>> commands;
  for (const Probe& probe : probes) commands.push_back(probe.command);
  ASSIGN_OR_RETURN(std::vector<resp::Reply> replies, client.Pipeline(commands));

  Capabilities capabilities;
  for (size_t i = 0; i < probes.size(); ++i) {
    Capability capability;
    capability.name = std::string(probes[i].name);
    // CLIENT LIST ID came with 6.2: a syntax error says that the command itself was let through.
    bool old_form = capability.name == "CLIENT LIST" && Contains(replies[i].text(), "syntax error");
    capability.state = old_form ? Capability::State::kAllowed : StateOf(replies[i]);
    if (capability.state != Capability::State::kAllowed) {
      capability.reply = replies[i].text();
      capability.costs = std::move(probes[i].costs);
    }
    capabilities.list.push_back(std::move(capability));
  }
  int major = MajorVersion(server_version);
  capabilities.acl_supported = major == 0 || major >= 6;
  capabilities.acl_line =
      "ACL SETUSER redoubt on >CHANGE_ME resetkeys resetchannels -@all +ping +info +config|get +slowlog|get "
      "+slowlog|len +latency|latest +client|setname +client|id +client|list +cluster|info +cluster|nodes +acl|log";
  return capabilities;
}

}  // namespace redoubt::monitor
