#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/diagnose/pattern_scanner.h"
#include "server/kb/condition.h"
#include "server/kb/knowledge_base.h"

namespace redoubt::diagnose {

// One signal, ready to be looked for.
struct RuleSignal {
  const kb::Signal* signal = nullptr;
  std::vector<size_t> patterns;  // numbers in the scanner
  std::optional<kb::Condition> condition;
};

// A failure mode with its entry and what speaks for it. The first entry that defines a slug describes it; others may
// add signals.
struct RuleMode {
  const kb::FailureMode* mode = nullptr;
  const kb::Entry* entry = nullptr;
  std::vector<RuleSignal> signals;
  std::vector<size_t> recovery;  // pattern numbers
  std::vector<size_t> leads_to;  // indexes of modes
};

// The knowledge base in the form the engine works with. Immutable, safe on many threads.
class Rules {
 public:
  explicit Rules(std::vector<std::shared_ptr<const kb::Entry>> entries);

  const std::vector<RuleMode>& modes() const { return modes_; }
  std::optional<size_t> Find(std::string_view slug) const;
  const PatternScanner& scanner() const { return *scanner_; }
  // True when `cause` leads to `effect`, directly or through others.
  bool Leads(size_t cause, size_t effect) const;

 private:
  std::vector<std::shared_ptr<const kb::Entry>> entries_;
  std::vector<RuleMode> modes_;
  std::map<std::string, size_t, std::less<>> by_slug_;
  std::unique_ptr<PatternScanner> scanner_;
};

}  // namespace redoubt::diagnose
