#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/lang.h"
#include "base/result.h"
#include "server/diagnose/analysis.h"

namespace redoubt::monitor {
struct Snapshot;
}
namespace redoubt::kb {
class KnowledgeBase;
}
namespace redoubt::llm {
class Provider;
}

namespace redoubt::diagnose {

class Guard;

// A firing alert as a hint for the analysis of a live instance.
struct FiringAlert {
  std::string rule, severity, metric;
  double value = 0, threshold = 0;
  int64_t started_at_ms = 0;
};

struct AnalysisRequest {
  std::string log_text;                       // pasted text of any kind; may be empty when there are metrics
  std::shared_ptr<const base::Json> metrics;  // {INFO field: value}; may be null
  base::Lang lang = base::Lang::kKo;
  std::string instance;                     // id, shown in the reply
  std::string instance_name;                // shown in the headline
  const monitor::Snapshot* live = nullptr;  // for the analysis of a watched server
  std::vector<FiringAlert> firing;
  bool use_llm = true;
};

// Called with pieces of the model's explanation as they arrive, before they were checked.
using DeltaCallback = std::function<void(std::string_view)>;

// From text and figures to ranked findings with evidence. Deterministic apart from id and time; touches the network
// only when a language model is configured, and stands without its answer.
// Analyze() may run on many threads at once.
class Analyzer {
 public:
  struct Deps {
    const kb::KnowledgeBase* knowledge = nullptr;
    const Guard* guard = nullptr;
    const base::Clock* clock = nullptr;
    llm::Provider* provider = nullptr;  // null: no language model
    std::chrono::milliseconds llm_deadline{20'000};
  };

  explicit Analyzer(Deps deps);
  ~Analyzer();

  // InvalidArgument when there is neither text nor metrics.
  base::Result<Analysis> Analyze(const AnalysisRequest& request, const DeltaCallback& on_delta = nullptr) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> CurrentRules() const;

  Deps deps_;
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace redoubt::diagnose
