#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "module/host/args.h"
#include "module/host/command.h"

namespace redoubt::ai {

// The four commands differ in little.
struct DagForm {
  const char* name;  // "AI.DAGEXECUTE"
  bool read_only;    // ..._RO: no PERSIST, and no AI.SCRIPTEXECUTE
  bool deprecated;   // AI.DAGRUN...: ops in their old forms, and no clause is needed
};

// [LOAD n key ...] [PERSIST n key ...] [ROUTING tag] [TIMEOUT ms] |> op ... [|> op ...], the clauses in any order and
// each at most once. Words are named by their positions.
struct DagArguments {
  struct Op {
    size_t first;  // its name
    size_t words;
  };
  std::vector<size_t> load;
  std::vector<size_t> persist;
  std::optional<size_t> routing;
  int64_t timeout_ms = 0;
  std::vector<Op> ops;
};

// Errors are the wire texts of RedisAI, found in its order. Also then `parsed` holds all that stands before the error.
base::Status ParseDag(const host::Args& args, const DagForm& form, DagArguments* parsed);

// The keys of such a command, for ACL and cluster: those of the clauses, and the model or script of each op.
std::vector<host::KeyPosition> DagKeys(const host::Args& args, const DagForm& form);

}  // namespace redoubt::ai
