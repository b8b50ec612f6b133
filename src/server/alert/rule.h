#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/lang.h"
#include "base/result.h"
#include "server/alert/alert.h"
#include "server/alert/expression.h"

namespace redoubt::alert {

// One way in which a rule can hold, at one severity.
struct Condition {
  std::string name;  // key for overrides: "warning", "critical", or with a suffix as in "critical_percent"
  Severity severity = Severity::kWarning;
  std::string metric;  // what `value` is, as people call it
  std::string format;  // how to write it: percent, count, seconds, ms, ratio, bytes, per_second, state
  Expression value;
  Expression when;        // must be true as well; "1" when the file gives none
  Expression clear_when;  // lets go at once; "0" when the file gives none
  bool below = false;     // holds while value < threshold instead of >=
  double threshold = 1;
  double clear = 1;  // lets go only beyond this: hysteresis
  int hold_s = 0;    // must hold so long before it fires
  base::LocalText message;
};

struct Rule {
  std::string id;
  std::string group;
  base::LocalText group_title;  // the file's "groups"; the group's id where that has none
  base::LocalText title;
  base::LocalText description;  // when it fires and when not; may be empty
  int resolve_hold_s = 10;      // must be over so long before it resolves
  std::vector<Condition> conditions;
};

// InvalidArgument names rule, condition and fault.
base::Result<std::vector<Rule>> LoadRules(const base::Json& document);

// A number in the words of `format`: "85.2%", "1,024", "30 s"/"30초".
std::string FormatValue(double value, const std::string& format, base::Lang lang);

}  // namespace redoubt::alert
