#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/lang.h"
#include "base/result.h"

namespace redoubt::diagnose {

// What is known about the server for which a command is meant.
struct GuardContext {
  std::string version;  // "7.0.15"; empty when not known
  std::string managed;  // provider slug ("elasticache"); empty when it is not a managed server or not known
};

struct Verdict {
  enum class Kind {
    kOffer,     // as it is
    kDataLoss,  // only with `precondition` in the same line, risk "data-loss"
    kNever,     // not as a fix, whatever the context
    kRefused,   // this version or provider refuses it; `instead` says what to do there
  };
  Kind kind = Kind::kOffer;
  std::string rule;              // id in guard.json; empty for kOffer
  base::LocalText reason;        // why it is never offered or refused
  base::LocalText precondition;  // for kDataLoss
  base::LocalText instead;       // for kRefused; may be empty
};

// The table of knowledge/guard.json through which every command passes that a rule, an entry or a language model
// offers. Immutable, safe on many threads.
class Guard {
 public:
  static base::Result<Guard> Load(const std::string& path);
  static base::Result<Guard> FromText(std::string_view json);

  Verdict Check(std::string_view command, const GuardContext& context) const;
  // The worst verdict over the commands in `backticks` of a text.
  Verdict CheckText(std::string_view text, const GuardContext& context) const;

  struct Table;  // the parsed file, see guard.cc

 private:
  std::shared_ptr<const Table> table_;
};

}  // namespace redoubt::diagnose
