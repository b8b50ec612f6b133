#include "module/ai/dag_arguments.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "module/ai/arguments.h"
#include "module/ai/script_arguments.h"

namespace redoubt::ai {
namespace {

constexpr std::string_view kSeparator = "|>";
// The main thread reads them all before it answers anybody else.
constexpr size_t kMaxOps = 1000;

base::Status CheckArity(const host::Args& args, const DagForm& form) {
  if (form.deprecated) {
    return args.size() >= 4 ? base::OkStatus()
                            : Wrong(fmt::format("wrong number of arguments for '{}' command", form.name));
  }
  return args.size() >= 6 ? base::OkStatus() : Wrong(fmt::format("missing arguments for '{}' command", form.name));
}

// Reads the clauses from left to right.
class ClauseReader {
 public:
  ClauseReader(const host::Args& args, const DagForm& form, DagArguments* parsed)
      : args_(args), form_(form), parsed_(*parsed) {}

  // Stops at the first separator or the end.
  base::Status ReadAll() {
    while (at_ < args_.size() && args_[at_] != kSeparator) RETURN_IF_ERROR(ReadOne());
    if (!form_.deprecated && !load_seen_ && !persist_seen_ && !parsed_.routing) {
      return Wrong(
          "AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST "
          "keywords");
    }
    return base::OkStatus();
  }
  size_t at() const { return at_; }

 private:
  base::Status ReadOne() {
    if (args_.Is(at_, "LOAD") && !std::exchange(load_seen_, true)) {
      return ReadKeys("LOAD", "LOAD into DAG", &parsed_.load);
    }
    if (args_.Is(at_, "PERSIST") && !std::exchange(persist_seen_, true)) return ReadPersist();
    if (args_.Is(at_, "ROUTING") && !parsed_.routing) return ReadRouting();
    if (args_.Is(at_, "TIMEOUT") && parsed_.timeout_ms == 0) return ReadTimeout(args_, &at_, &parsed_.timeout_ms);
    return Wrong(fmt::format("Invalid DAG command. Unexpected argument:  {}", args_[at_]));
  }

  // KEYWORD count key ...
  base::Status ReadKeys(std::string_view keyword, std::string_view doing, std::vector<size_t>* keys) {
    if (args_.size() - at_ < 3) {
      return Wrong(fmt::format("missing arguments after {} keyword in DAG command", keyword));
    }
    const std::optional<int64_t> count = args_.Integer(at_ + 1);
    if (!count || *count <= 0) {
      return Wrong(fmt::format("invalid or negative value found in number of keys to {}", keyword));
    }
    at_ += 2;
    if (std::cmp_greater(*count, args_.size() - at_)) {
      return Wrong(fmt::format("number of keys to {} does not match the number of given arguments", doing));
    }
    for (int64_t i = 0; i < *count; ++i) keys->push_back(at_++);
    return base::OkStatus();
  }

  base::Status ReadPersist() {
    if (form_.read_only) return Wrong("PERSIST cannot be specified in a read-only DAG");
    RETURN_IF_ERROR(ReadKeys("PERSIST", "PERSIST after DAG execution", &parsed_.persist));
    std::set<std::string_view> names;
    for (size_t key : parsed_.persist) {
      if (!names.insert(args_[key]).second) return Wrong("PERSIST keys must be unique");
    }
    return base::OkStatus();
  }

  base::Status ReadRouting() {
    if (at_ + 1 >= args_.size()) return Wrong("Missing ROUTING value");
    parsed_.routing = at_ + 1;
    at_ += 2;
    return base::OkStatus();
  }

  const host::Args& args_;
  const DagForm& form_;
  DagArguments& parsed_;
  size_t at_ = 1;
  bool load_seen_ = false;
  bool persist_seen_ = false;
};

// Whether word `i` is the blob of the AI.TENSORSET that begins at `first`: any two bytes are data there.
bool IsBlob(const host::Args& args, size_t first, size_t i) {
  if (!args.Is(first, "AI.TENSORSET") || i < first + 4 || !args.Is(i - 1, "BLOB")) return false;
  for (size_t word = first + 3; word + 1 < i; ++word) {
    if (args.Is(word, "BLOB") || args.Is(word, "VALUES")) return false;
  }
  return true;
}

// `at` is the first separator, or the end.
void SplitOps(const host::Args& args, size_t at, std::vector<DagArguments::Op>* ops) {
  while (at < args.size()) {
    const size_t first = ++at;
    while (at < args.size() && (args[at] != kSeparator || IsBlob(args, first, at))) ++at;
    ops->push_back({first, at - first});
  }
  // What follows the last separator may be nothing.
  if (!ops->empty() && ops->back().words == 0) ops->pop_back();
}

constexpr int kRead = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS;

// The key of the model or script, and the keys that a script declares.
void AddOpKeys(const host::Args& args, const DagArguments::Op& op, std::vector<host::KeyPosition>* keys) {
  const bool model = args.Is(op.first, "AI.MODELEXECUTE") || args.Is(op.first, "AI.MODELRUN");
  const bool script = args.Is(op.first, "AI.SCRIPTEXECUTE") || args.Is(op.first, "AI.SCRIPTRUN");
  if ((!model && !script) || op.words < 2) return;
  keys->push_back({static_cast<int>(op.first + 1), kRead});
  if (!args.Is(op.first, "AI.SCRIPTEXECUTE") || op.words < 4) return;
  const base::Result<CallArguments> call = ParseScriptExecute(args.Slice(op.first, op.words));
  if (!call.ok()) return;
  constexpr int kAny = REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_ACCESS | REDISMODULE_CMD_KEY_UPDATE;
  for (size_t i = 0; i < call->keys.count; ++i) {
    keys->push_back({static_cast<int>(op.first + call->keys.first + i), kAny});
  }
}

}  // namespace

base::Status ParseDag(const host::Args& args, const DagForm& form, DagArguments* parsed) {
  RETURN_IF_ERROR(CheckArity(args, form));
  ClauseReader reader(args, form, parsed);
  RETURN_IF_ERROR(reader.ReadAll());
  SplitOps(args, reader.at(), &parsed->ops);
  if (parsed->ops.empty()) return Wrong("DAG is empty");
  if (parsed->ops.size() > kMaxOps) {
    return Wrong(fmt::format("the DAG has {} operations, at most {} are allowed", parsed->ops.size(), kMaxOps));
  }
  return base::OkStatus();
}

std::vector<host::KeyPosition> DagKeys(const host::Args& args, const DagForm& form) {
  DagArguments parsed;
  (void)ParseDag(args, form, &parsed);  // the command itself will refuse the same words
  std::vector<host::KeyPosition> keys;
  for (size_t key : parsed.load) keys.push_back({static_cast<int>(key), kRead});
  for (size_t key : parsed.persist) {
    keys.push_back({static_cast<int>(key), REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE});
  }
  // Names a slot, not a key.
  if (parsed.routing) keys.push_back({static_cast<int>(*parsed.routing), REDISMODULE_CMD_KEY_NOT_KEY});
  for (const DagArguments::Op& op : parsed.ops) AddOpKeys(args, op, &keys);
  return keys;
}

}  // namespace redoubt::ai
