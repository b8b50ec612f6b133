#include "module/host/call.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "module/host/key.h"

namespace redoubt::host {
namespace {

// A command's words as strings of the server.
class Words {
 public:
  explicit Words(std::span<const std::string_view> words) {
    for (std::string_view word : words) {
      strings_.emplace_back(word);
      raw_.push_back(strings_.back().raw());
    }
  }
  RedisModuleString** data() { return raw_.data(); }
  size_t size() const { return raw_.size(); }

 private:
  std::vector<String> strings_;
  std::vector<RedisModuleString*> raw_;
};

struct CommandFacts {
  long long arity = 0;
  bool writes = false;
};

bool HasFlag(RedisModuleCallReply* flags, std::string_view wanted) {
  for (size_t i = 0; i < RedisModule_CallReplyLength(flags); ++i) {
    size_t length = 0;
    const char* flag = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(flags, i), &length);
    if (flag != nullptr && std::string_view(flag, length) == wanted) return true;
  }
  return false;
}

// The row of COMMAND INFO inside `reply`; null for an unknown command.
RedisModuleCallReply* RowOf(const CallReply& reply) {
  RedisModuleCallReply* row = reply.raw() == nullptr ? nullptr : RedisModule_CallReplyArrayElement(reply.raw(), 0);
  return row != nullptr && RedisModule_CallReplyType(row) == REDISMODULE_REPLY_ARRAY ? row : nullptr;
}

CallReply CommandInfo(Context& effects, std::string_view name) {
  return CallReply(RedisModule_Call(effects.raw(), "COMMAND", "cb", "INFO", name.data(), name.size()));
}

bool HasSubcommands(RedisModuleCallReply* row) {
  RedisModuleCallReply* subcommands = RedisModule_CallReplyArrayElement(row, 9);
  return subcommands != nullptr && RedisModule_CallReplyLength(subcommands) > 0;
}

base::Result<CommandFacts> FactsIn(RedisModuleCallReply* row, std::span<const std::string_view> words) {
  CommandFacts facts;
  facts.arity = RedisModule_CallReplyInteger(RedisModule_CallReplyArrayElement(row, 1));
  facts.writes = HasFlag(RedisModule_CallReplyArrayElement(row, 2), "write");
  const auto count = static_cast<long long>(words.size());
  if (facts.arity > 0 ? count != facts.arity : count < -facts.arity) {
    return base::InvalidArgument(fmt::format("ERR wrong number of arguments for '{}' command", words.front()));
  }
  return facts;
}

// The server looks for keys in the words before it counts them, so they must be counted before it is asked.
base::Result<CommandFacts> FactsOf(Context& effects, std::span<const std::string_view> words) {
  const std::string_view name = words.front();
  const CallReply reply = CommandInfo(effects, name);
  RedisModuleCallReply* row = RowOf(reply);
  if (row == nullptr) return base::NotFound(fmt::format("ERR unknown command '{}'", name.substr(0, 128)));
  if (words.size() < 2 || !HasSubcommands(row)) return FactsIn(row, words);
  // What XGROUP CREATE may do does not stand in the row of XGROUP.
  const CallReply subcommand = CommandInfo(effects, fmt::format("{}|{}", name, words[1]));
  if (RowOf(subcommand) != nullptr) return FactsIn(RowOf(subcommand), words);
  return base::NotFound(fmt::format("ERR unknown subcommand '{}' of '{}'", words[1].substr(0, 128), name));
}

base::Result<CommandFacts> Check(const Caller& caller, Context& effects, std::span<const std::string_view> words,
                                 Words& strings) {
  if (words.empty()) return base::InvalidArgument("ERR no command was given");
  ASSIGN_OR_RETURN(const CommandFacts facts, FactsOf(effects, words));
  String name(caller.user());
  RedisModuleUser* user = RedisModule_GetModuleUserFromUserName(name.raw());
  if (user == nullptr) {
    return base::PermissionDenied(fmt::format("NOPERM the user '{}' does not exist any more", caller.user()));
  }
  const bool allowed =
      RedisModule_ACLCheckCommandPermissions(user, strings.data(), static_cast<int>(strings.size())) == REDISMODULE_OK;
  RedisModule_FreeModuleUser(user);
  if (allowed) return facts;
  return base::PermissionDenied(fmt::format(
      "NOPERM the user '{}' may not run the command '{}' on these keys or channels", caller.user(), words.front()));
}

}  // namespace

base::Status CheckCommand(const Caller& caller, Context& effects, std::span<const std::string_view> words) {
  Words strings(words);
  return Check(caller, effects, words, strings).status();
}

base::Result<CallReply> CallFor(const Caller& caller, Context& effects, std::span<const std::string_view> words,
                                bool read_only) {
  Words strings(words);
  ASSIGN_OR_RETURN(const CommandFacts facts, Check(caller, effects, words, strings));
  if (facts.writes && read_only) {
    return base::PermissionDenied(fmt::format("ERR the command '{}' may write, this is read-only", words.front()));
  }
  if (facts.writes && RedisModule_AvoidReplicaTraffic() != 0) {
    return base::Unavailable("ERR writes are paused (CLIENT PAUSE or failover), try again");
  }
  const std::string name(words.front());
  // ! replicate, E errors as replies, S rules of scripts, M respect maxmemory. Not C: it crashes Redis 7.0 (see above
  // for what stands in its place).
  CallReply reply(RedisModule_Call(effects.raw(), name.c_str(), "!ESMv", strings.data() + 1, strings.size() - 1));
  if (reply.raw() == nullptr) return base::Internal("ERR the server did not run the command");
  if (RedisModule_CallReplyType(reply.raw()) == REDISMODULE_REPLY_ERROR) {
    size_t length = 0;
    const char* text = RedisModule_CallReplyStringPtr(reply.raw(), &length);
    return base::FailedPrecondition(std::string(text, length));
  }
  return reply;
}

}  // namespace redoubt::host
