#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/lang.h"

namespace redoubt::diagnose {

// The reply of POST /api/v1/analyze as values. Texts are already in the language that was asked for.

struct Evidence {
  int n = 0;           // 1..; what "[n]" in the texts refers to
  std::string source;  // log|metric|config|topology
  std::string text;    // for log: the quoted line; else empty
  std::string field, value, threshold;
  std::optional<size_t> line;  // 1-based, in the text as it was pasted
  std::string at;              // as ISO 8601 where a time was seen
  std::string supports;        // slug
  size_t count = 1;            // how often the line was seen
};

struct Command {
  std::string cmd, where, risk, why, check_first, undo;
};

struct Step {
  std::string title, detail, risk;
  std::vector<std::string> commands;
};

struct ChainLink {
  std::string failure_mode, at;
  std::vector<int> evidence;
};

struct KnowledgeRef {
  std::string id, title, why;
  double score = 0;
};

struct Alternative {
  std::string failure_mode;
  double confidence = 0;
  std::vector<std::string> missing, contradicted_by;
  std::string next_check;
};

struct DoNot {
  std::string action, why;
};

struct Verify {
  std::string cmd, expect;
};

// One incident of a report; most reports hold one.
struct Finding {
  std::string headline, severity, category, failure_mode;
  double confidence = 0;
  std::string state = "unknown";
  std::string started_at, ended_at;  // empty when not known
  std::string writes = "unknown", reads = "unknown", data_at_risk = "unknown";
  std::string summary, root_cause, first_action, escalate_if;
  std::vector<ChainLink> chain;
  std::vector<std::string> immediate_actions;
  std::vector<Step> steps;
  std::vector<std::string> prevention;
  std::vector<Command> commands;
  std::vector<DoNot> do_not;
  std::vector<Verify> verify;
  std::vector<Evidence> evidence;
  std::vector<KnowledgeRef> knowledge;
  std::vector<Alternative> alternatives;
  std::vector<std::string> not_seen;
};

struct Context {
  std::string version, role, managed, topology;  // empty when not known
};

// Who explained, for engine.llm; `dropped` counts sentences that cited nothing or brought their own numbers.
struct LlmUse {
  std::string provider, model, error;
  size_t dropped = 0;
};

struct Analysis {
  std::string id;  // "an_" + 20 characters, ordered by time
  int64_t created_at_ms = 0;
  std::string instance;  // empty when a text was analysed
  base::Lang lang = base::Lang::kKo;
  Finding main;
  std::vector<Finding> incidents;  // further independent ones
  Context context;
  std::optional<LlmUse> llm;
  std::string input_excerpt;  // the pasted text, redacted and shortened: what is stored and searched
  std::shared_ptr<const base::Json> input_metrics;  // those that came with the text, redacted; null for none
  std::shared_ptr<const base::Json> debug;          // weights and timings; shown with ?debug=1 only
};

// Exactly the reply of POST /analyze.
base::Json ToJson(const Analysis& analysis, bool debug);

}  // namespace redoubt::diagnose
