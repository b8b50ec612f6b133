#include "server/lab/eligibility.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>

namespace redoubt::lab {

using base::Result;

namespace {

constexpr int64_t kReservedDescriptors = 256;  // for the API, the database and the watched servers

// The lab may not include the monitor's reader, and needs a few whole numbers and words only.
std::string_view FieldOf(std::string_view info, std::string_view name) {
  size_t position = 0;
  while (position < info.size()) {
    size_t end = std::min(info.find('\n', position), info.size());
    std::string_view line = info.substr(position, end - position);
    position = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return line.substr(name.size() + 1);
    }
  }
  return {};
}

int64_t NumberOf(std::string_view info, std::string_view name) {
  std::string_view text = FieldOf(info, name);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The sum of keys=… over the databases.
int64_t KeysOf(std::string_view info) {
  int64_t keys = 0;
  for (size_t at = info.find(":keys="); at != std::string_view::npos; at = info.find(":keys=", at + 1)) {
    int64_t number = 0;
    std::from_chars(info.data() + at + 6, info.data() + info.size(), number);
    keys += number;
  }
  return keys;
}

// Clients by name; nothing when the list is denied.
std::optional<int64_t> CountOthers(resp::Client& client) {
  Result<resp::Reply> list = client.Command({"CLIENT", "LIST"});
  if (!list.ok() || list->IsError()) return std::nullopt;
  const std::string text = list->text();
  int64_t others = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.find(" name=redoubt") != std::string_view::npos) continue;
    if (line.find(" flags=S ") != std::string_view::npos) continue;  // replicas are counted apart
    ++others;
  }
  return others;
}

Refusal Refuse(base::Status status, std::string code, std::string ko, std::string en) {
  return {std::move(status), std::move(code), {std::move(ko), std::move(en)}};
}

constexpr std::string_view kOverrideKo = " 그래도 실행하려면 confirm에 서버 이름을 입력하세요.";
constexpr std::string_view kOverrideEn = " To go on all the same, give the instance's name as confirm.";

Refusal Overridable(std::string code, std::string ko, std::string en) {
  en += kOverrideEn;
  ko += kOverrideKo;
  return Refuse(base::FailedPrecondition(en), std::move(code), std::move(ko), en);
}

}  // namespace

Result<ServerState> ReadServerState(resp::Client& client, int64_t own_keys, int64_t held_connections) {
  ASSIGN_OR_RETURN(resp::Reply reply, client.Command({"INFO"}));
  if (reply.IsError()) return base::FailedPrecondition("INFO: " + reply.text());
  const std::string info = reply.text();
  ServerState state;
  state.used_memory = NumberOf(info, "used_memory");
  state.maxmemory = NumberOf(info, "maxmemory");
  state.policy = std::string(FieldOf(info, "maxmemory_policy"));
  state.is_replica = FieldOf(info, "role") == "slave";
  state.replicas = NumberOf(info, "connected_slaves");
  state.foreign_keys = std::max<int64_t>(0, KeysOf(info) - own_keys);
  state.connected_clients = NumberOf(info, "connected_clients");
  state.maxclients = NumberOf(info, "maxclients");
  // Without the list: all but this connection, the monitor's and the held ones.
  state.other_clients =
      CountOthers(client).value_or(std::max<int64_t>(0, state.connected_clients - 2 - held_connections));
  return state;
}

std::optional<Refusal> CheckGranted(const Target& target) {
  if (target.test_faults) return std::nullopt;
  std::string address = resp::Address(target.connect);
  std::string en = fmt::format(
      "Faults are not allowed on '{}': only on servers that redoubt started or that --allow-test-faults {} names, "
      "connected with test_faults.",
      target.name, address);
  return Refuse(base::PermissionDenied(en), "faults_not_allowed",
                fmt::format("'{}'에는 장애를 주입할 수 없습니다. redoubt가 시작한 서버이거나 --allow-test-faults {} 로 "
                            "허용하고 test_faults로 연결한 서버에만 가능합니다.",
                            target.name, address),
                en);
}

std::optional<Refusal> CheckState(const ServerState& state, FaultKind kind, bool confirmed) {
  if (state.is_replica) {
    return Refuse(base::FailedPrecondition("The server is a replica; inject faults at its primary."), "is_replica",
                  "이 서버는 복제본입니다. 마스터(primary)에서 실행하세요.",
                  "The server is a replica; inject faults at its primary.");
  }
  if (confirmed) return std::nullopt;
  bool fills = kind == FaultKind::kFillMemory;
  if (fills && state.maxmemory == 0) {
    return Overridable("no_maxmemory", "maxmemory가 0이라 호스트 메모리까지 채울 수 있습니다.",
                       "maxmemory is 0, so filling could exhaust the host.");
  }
  if (fills && state.policy != "noeviction" && state.foreign_keys > 0) {
    return Overridable("foreign_keys",
                       fmt::format("정책 {}에서 다른 키 {}개가 축출될 수 있습니다.", state.policy, state.foreign_keys),
                       fmt::format("{} other keys could be evicted by {}.", state.foreign_keys, state.policy));
  }
  if (state.replicas > 0) {
    return Overridable("has_replicas", fmt::format("복제본 {}개가 연결되어 있습니다.", state.replicas),
                       fmt::format("{} replicas hang on this server.", state.replicas));
  }
  if (state.other_clients > 0) {
    return Overridable("other_clients", fmt::format("다른 클라이언트 {}개가 연결되어 있습니다.", state.other_clients),
                       fmt::format("{} other clients are connected.", state.other_clients));
  }
  return std::nullopt;
}

Limits LimitsOf(const ServerState& state, int64_t held_connections) {
  Limits limits;
  if (state.maxmemory > 0) {
    int64_t room = state.maxmemory + state.maxmemory / 10 - state.used_memory;
    limits.fill_memory_max_mb = std::max<int64_t>(0, room) >> 20;
  }
  if (state.maxclients > 0) {
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    int64_t ours = static_cast<int64_t>(std::min<rlim_t>(descriptors.rlim_cur, 1'000'000)) - kReservedDescriptors;
    int64_t free_seats = state.maxclients * 95 / 100 - (state.connected_clients - held_connections);
    limits.many_connections_max = std::max<int64_t>(0, std::min(free_seats, ours));
  }
  return limits;
}

}  // namespace redoubt::lab
