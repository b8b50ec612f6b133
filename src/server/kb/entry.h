#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/lang.h"
#include "base/result.h"

namespace redoubt::kb {

using base::Json;
using base::Lang;
using base::LocalText;

// One observation that speaks for (weight > 0) or against (weight < 0) a failure mode. Weights are log-odds; see
// docs/design/diagnosis.md for how they add up.
struct Signal {
  std::string id;
  std::string failure_mode;
  std::string group;  // signals of one group are one observation: they do not add up in full
  double weight = 0;
  std::vector<std::string> patterns;  // RE2; any of them, on one line or paragraph of the text
  std::string metric;                 // a condition over INFO fields, settings and tables; empty when there is none
  std::string impact;                 // what it shows about the damage: "writes-refused", ...; may be empty
  LocalText means;                    // what the sign says, for "missing" and "contradicted_by"
};

// A command that an operator may run, with what has to be known before it is run.
struct Action {
  std::vector<std::string> failure_modes;  // empty: all of the entry
  std::string use;                         // "fix", "check" or "verify"
  LocalText cmd;
  std::string where;  // redis-cli|sentinel|shell|config-file|client|provider
  std::string risk;   // read|low|high|data-loss
  LocalText why;
  LocalText check_first;  // empty when nothing has to be checked
  LocalText undo;
  LocalText expect;         // what a verifying command should show
  std::string min_version;  // "6.2": not offered below; empty for any
  std::string max_version;  // "7.0": not offered from there on
};

struct Warning {
  std::vector<std::string> failure_modes;  // empty: all of the entry
  LocalText action;
  LocalText why;
};

// What one slug of the catalogue says about itself.
struct FailureMode {
  std::string slug;
  std::string category;
  std::string severity;
  double prior = 0;    // log-odds before anything was seen
  LocalText headline;  // what and impact, without numbers
  LocalText root_cause;
  LocalText first_action;  // one safe thing to do now
  LocalText escalate_if;
  std::string next_check;                   // the command that would separate it from its neighbours
  std::string writes, reads, data_at_risk;  // yes|no|unknown
  std::vector<std::string> leads_to;        // slugs that this one causes: they follow it in a chain
  std::vector<std::string> recovery;        // RE2: log lines that end it
};

// Where an entry came from, and whether the file moved on since it was edited.
enum class Origin { kFile, kEdited, kUser };
std::string_view OriginName(Origin origin);  // "file", "edited", "user"

// One piece of operating knowledge: what a person reads and what the engine matches. Immutable once built.
struct Entry {
  std::string id;
  std::string category;
  std::string severity;
  LocalText title;
  std::vector<LocalText> symptoms, root_causes, diagnosis_steps, solutions, prevention;
  std::vector<std::string> related_metrics, tags;
  std::vector<FailureMode> failure_modes;
  std::vector<Signal> signals;
  std::vector<Action> actions;
  std::vector<Warning> do_not;

  std::shared_ptr<const Json> document;  // the whole entry, its texts as they were given
  Origin origin = Origin::kUser;
  std::string file;       // path below the knowledge folder; empty for a user's own entry
  bool conflict = false;  // edited here, and the file changed too
};

// Checks `json` against the form of an entry (knowledge/schema/entry.schema.json) and builds it. Plain strings count
// for both languages; a text in one language stands for the other too. InvalidArgument names the place:
// "signals[2].patterns[0]: missing ): (OOM".
base::Result<Entry> EntryFromJson(const Json& json);

// The entry as the API shows it: texts as {"ko","en"}, with `flatten` as the string of that language; "languages" says
// in which it was written.
Json EntryToJson(const Entry& entry, std::optional<Lang> flatten);

// Every category and severity that an entry may carry (SPEC labels).
bool IsCategory(std::string_view text);
bool IsSeverity(std::string_view text);

}  // namespace redoubt::kb
