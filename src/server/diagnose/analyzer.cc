#include "server/diagnose/analyzer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/json.h"
#include "server/diagnose/decide.h"
#include "server/diagnose/explain.h"
#include "server/diagnose/redact.h"
#include "server/kb/knowledge_base.h"
#include "server/llm/provider.h"
#include "text/utf8.h"

namespace redoubt::diagnose {

using base::Json;
using base::Lang;
using base::Result;

namespace {

constexpr double kRulesDecide = 2.6;  // from here on words like an entry are not asked for
constexpr size_t kDigestBytes = 400;
constexpr size_t kStoredInputBytes = 256u << 10;
constexpr size_t kMetricBytes = 1024;
constexpr size_t kMetricsBytes = 1u << 20;
constexpr size_t kKnowledgeShown = 4;

// "an_" and 20 characters that sort by time, so that a page of history is a range of ids.
std::string NewId(int64_t wall_ms) {
  static std::atomic<uint32_t> counter{std::random_device{}()};
  static const uint32_t process = std::random_device{}();
  return fmt::format("an_{:011x}{:04x}{:05x}", static_cast<uint64_t>(wall_ms), process & 0xFFFF,
                     counter.fetch_add(1) & 0xFFFFF);
}

// The metrics with secrets replaced, in names and in values; numbers stay numbers.
std::shared_ptr<const Json> RedactMetrics(const Json& metrics) {
  auto out = std::make_shared<Json>(Json::object());
  size_t bytes = 0;
  for (const auto& [name, value] : metrics.items()) {
    std::string key = Redact(name);
    Json kept = value;
    if (value.is_object()) {
      kept = *RedactMetrics(value);
    } else if (!value.is_boolean() && !value.is_null()) {
      std::string given = value.is_string() ? value.get<std::string>() : base::DumpJson(value);
      std::string shown = RedactValue(name, given);
      if (!value.is_number() || shown != given) kept = text::TruncateUtf8(shown, kMetricBytes);
    }
    bytes += key.size() + (kept.is_string() ? kept.get_ref<const std::string&>().size() : 16);
    if (bytes > kMetricsBytes) break;
    (*out)[key] = std::move(kept);
  }
  return out;
}

// The sentences of the text, or the first log lines where there are none: what an embedding can make something of.
std::string Digest(const Recognised& text) {
  std::string digest;
  for (LineKind kind : {LineKind::kProse, LineKind::kOtherLog, LineKind::kServerLog}) {
    for (const Line& line : text.lines) {
      if (line.kind != kind || digest.size() >= kDigestBytes) continue;
      digest += std::string(line.body) + " ";
    }
  }
  return std::string(text::TruncateUtf8(digest, kDigestBytes));
}

// A log or an INFO without a single sign of a fault speaks for health, the more the longer it is.
double BenignLog(const Recognised& text, const Facts& facts, const Scores& scores) {
  double strongest = scores.incidents.empty() ? 0 : scores.incidents.front().raw;
  if (strongest >= 2.0) return 0;
  double out = 0;
  if (facts.field_count() >= 8) out += 2.4;
  if (text.server_log_lines >= 2 && text.prose_bytes < 80) out += 2.2;
  return out;
}

Hints LookUp(const kb::KnowledgeBase& knowledge, const Rules& rules, const std::string& digest, const Scores& scores) {
  Hints hints;
  for (const kb::SearchHit& hit : knowledge.Search(digest, 3)) {
    if (hit.score < 0.3) continue;
    // Which of the entry's failure modes: the one that has signs, else the first, which is the most usual.
    const RuleMode* best = nullptr;
    for (const Candidate& candidate : scores.incidents) {
      const RuleMode& mode = rules.modes()[candidate.mode];
      if (mode.entry->id == hit.id) {
        best = &mode;
        break;
      }
    }
    for (const RuleMode& mode : rules.modes()) {
      if (best == nullptr && mode.entry->id == hit.id) best = &mode;
    }
    if (best != nullptr) hints.likeness[best->mode->slug] = std::min(2.4, (hit.score - 0.3) * 6);
  }
  return hints;
}

void NameKnowledge(const kb::KnowledgeBase& knowledge, const Rules& rules, const Decision& decision,
                   const std::string& digest, Lang lang, Finding& finding) {
  if (finding.category == "none" && finding.state != "recovered") return;
  const RuleMode& mode = rules.modes()[decision.primary->mode];
  bool ko = lang == Lang::kKo;
  std::set<std::string> named = {mode.entry->id};
  size_t signs = decision.primary->hits.size();
  finding.knowledge.push_back(
      {mode.entry->id, mode.entry->title.In(lang),
       fmt::format("{} {}: {}", mode.mode->slug, ko ? "신호 일치" : "signals that match", signs), finding.confidence});
  for (const Candidate* candidate : decision.chain) {
    const RuleMode& other = rules.modes()[candidate->mode];
    if (!named.insert(other.entry->id).second) continue;
    finding.knowledge.push_back({other.entry->id, other.entry->title.In(lang),
                                 fmt::format("{} {}", other.mode->slug, ko ? "(이어진 영향)" : "(what followed)"),
                                 std::round(candidate->probability * 100) / 100});
  }
  for (const kb::SearchHit& hit : knowledge.SearchWords(digest.empty() ? finding.headline : digest, 3)) {
    if (finding.knowledge.size() >= kKnowledgeShown || hit.score < 0.12 || !named.insert(hit.id).second) continue;
    finding.knowledge.push_back({hit.id, hit.title.In(lang), hit.why.In(lang), std::round(hit.score * 100) / 100});
  }
}

// A watched server's figures carry no time; the alert over the same figure knows since when.
void TakeStart(const std::vector<FiringAlert>& firing, Finding& finding) {
  if (!finding.started_at.empty()) return;
  int64_t first = 0;
  for (const FiringAlert& alert : firing) {
    bool same = std::any_of(finding.evidence.begin(), finding.evidence.end(), [&](const Evidence& item) {
      return item.field == alert.metric || (alert.metric == "memory_usage_percent" && item.field == "used_memory");
    });
    if (same && (first == 0 || alert.started_at_ms < first)) first = alert.started_at_ms;
  }
  if (first > 0) finding.started_at = base::FormatUtcMillis(first);
}

// No incident any more: the labels say so, the chain and the times say what it was.
void ShowRecovered(Lang lang, Finding& finding) {
  if (finding.state != "recovered") return;
  finding.category = "none";
  finding.failure_mode = "recovered";
  finding.severity = "none";
  finding.headline = (lang == Lang::kKo ? "복구됨: " : "Recovered: ") + finding.headline;
  finding.writes = finding.reads = finding.data_at_risk = "no";
}

Json DebugOf(const Rules& rules, const Scores& scores) {
  Json candidates = Json::array();
  for (const auto* list : {&scores.incidents, &scores.none}) {
    for (const Candidate& candidate : *list) {
      if (candidates.size() >= 25) break;
      Json signals = Json::array();
      for (const auto* hits : {&candidate.hits, &candidate.against}) {
        for (const SignalHit& hit : *hits)
          signals.push_back({{"id", hit.rule->signal->id}, {"weight", hit.rule->signal->weight}});
      }
      candidates.push_back({{"failure_mode", rules.modes()[candidate.mode].mode->slug},
                            {"score", candidate.score},
                            {"probability", candidate.probability},
                            {"signals", std::move(signals)}});
    }
  }
  return candidates;
}

bool HasMetrics(const AnalysisRequest& request) {
  return request.metrics && request.metrics->is_object() && !request.metrics->empty();
}

base::Status CheckInput(const AnalysisRequest& request) {
  if (request.metrics && !request.metrics->is_null() && !request.metrics->is_object()) {
    return base::InvalidArgument("metrics has to be an object of INFO fields");
  }
  if (request.log_text.empty() && !HasMetrics(request) && request.live == nullptr) {
    return base::InvalidArgument("give log_text, metrics or both");
  }
  return base::OkStatus();
}

Scores ScoresOf(const kb::KnowledgeBase& knowledge, const Rules& rules, const Recognised& text, const Facts& facts,
                const std::string& digest) {
  Scores scores = ScoreAll(rules, text, facts);
  Hints hints;
  bool undecided = scores.incidents.empty() || scores.incidents.front().score < kRulesDecide;
  bool none_said = !scores.none.empty() && scores.none.front().score > 2.0;
  if (undecided && !none_said && !digest.empty()) hints = LookUp(knowledge, rules, digest, scores);
  hints.benign_log = BenignLog(text, facts, scores);
  Finish(rules, hints, scores);
  return scores;
}

// What the text says of the server, and what its fields say where they know better.
Context ContextOf(const Recognised& text, const Facts& facts) {
  auto read = [&](std::string_view field) {
    auto value = facts.Now(field);
    return value ? value->text : std::string();
  };
  Context out = {text.version, text.role, text.managed, text.topology};
  if (std::string version = read("valkey_version"); !version.empty()) out.version = version;
  if (std::string version = read("redis_version"); !version.empty() && out.version.empty()) out.version = version;
  if (std::string role = read("role"); !role.empty()) {
    out.role = role == "slave" ? "replica" : role == "master" ? "primary" : role;
  }
  if (out.topology.empty() && read("cluster_enabled") == "1") out.topology = "cluster";
  if (out.topology.empty() && facts.Now("connected_slaves").value_or(kb::FieldValue{}).number.value_or(0) > 0) {
    out.topology = "replication";
  }
  return out;
}

void TellWhatWasNotSeen(const AnalysisRequest& request, const Recognised& text, Finding& main) {
  if (!text.decoded_from.empty()) {
    bool ko = request.lang == Lang::kKo;
    main.not_seen.push_back(
        fmt::format("{}{}", ko ? "붙여 넣은 글의 문자 인코딩을 바꿔 읽었습니다: " : "The pasted text was read as ",
                    text.decoded_from));
  }
  if (request.live == nullptr) return;
  for (const auto& [what, why] : request.live->not_seen) main.not_seen.push_back(fmt::format("{}: {}", what, why));
}

}  // namespace

struct Analyzer::Rules {
  explicit Rules(const kb::KnowledgeBase& knowledge) : generation(knowledge.generation()), rules(knowledge.List()) {}
  uint64_t generation;
  diagnose::Rules rules;
};

struct Analyzer::Cache {
  std::mutex mu;
  std::shared_ptr<const Rules> current;
  std::thread warm_up;
};

// The patterns are compiled beside the rest of the start, so that the first question finds them ready.
Analyzer::Analyzer(Deps deps) : deps_(deps), cache_(std::make_unique<Cache>()) {
  cache_->warm_up = std::thread([this] { (void)CurrentRules(); });
}
// The thread uses this object, so it ends before any member goes.
Analyzer::~Analyzer() { cache_->warm_up.join(); }

// Compiling the patterns takes some tens of milliseconds; it happens once per change of the knowledge base.
std::shared_ptr<const Analyzer::Rules> Analyzer::CurrentRules() const {
  std::lock_guard lock(cache_->mu);
  if (!cache_->current || cache_->current->generation != deps_.knowledge->generation()) {
    cache_->current = std::make_shared<const Rules>(*deps_.knowledge);
  }
  return cache_->current;
}

Result<Analysis> Analyzer::Analyze(const AnalysisRequest& request, const DeltaCallback& on_delta) const {
  RETURN_IF_ERROR(CheckInput(request));
  int64_t begin = deps_.clock->SteadyMicros();
  std::shared_ptr<const Rules> current = CurrentRules();
  const diagnose::Rules& rules = current->rules;
  Analysis out;
  out.created_at_ms = deps_.clock->WallMillis();
  out.id = NewId(out.created_at_ms);
  out.instance = request.instance;
  out.lang = request.lang;

  std::string decoded_from;
  // Redacted before anything looks at it, so that no quotation can carry a secret.
  std::string redacted = Redact(DecodeText(request.log_text, decoded_from));
  Recognised text = Recognise(redacted);
  if (text.decoded_from.empty()) text.decoded_from = decoded_from;
  if (HasMetrics(request)) out.input_metrics = RedactMetrics(*request.metrics);
  Facts facts(text, out.input_metrics.get(), request.live);
  int64_t recognised = deps_.clock->SteadyMicros();

  std::string digest = Digest(text);
  Scores scores = ScoresOf(*deps_.knowledge, rules, text, facts, digest);
  int64_t scored = deps_.clock->SteadyMicros();

  out.context = ContextOf(text, facts);
  Decisions decisions = Decide(rules, text, facts, scores);
  if (decisions.main.primary == nullptr) return base::FailedPrecondition("the knowledge base has no failure modes");
  GuardContext server{out.context.version, out.context.managed};
  ComposeInput input{rules, text, facts, scores, *deps_.guard, server, request.lang, request.instance_name};
  auto tell = [&](const Decision& decision) {
    Finding finding = Compose(input, decision);
    NameKnowledge(*deps_.knowledge, rules, decision, digest, request.lang, finding);
    TakeStart(request.firing, finding);
    ShowRecovered(request.lang, finding);
    return finding;
  };
  out.main = tell(decisions.main);
  for (const Decision& decision : decisions.further) out.incidents.push_back(tell(decision));
  TellWhatWasNotSeen(request, text, out.main);
  int64_t composed = deps_.clock->SteadyMicros();
  if (deps_.provider != nullptr && request.use_llm && !out.main.evidence.empty()) {
    out.llm = Explain(*deps_.provider, deps_.llm_deadline, request.lang, out.main, on_delta);
  }
  out.input_excerpt = std::string(text::TruncateUtf8(*text.text, kStoredInputBytes));
  auto debug = std::make_shared<Json>();
  (*debug)["candidates"] = DebugOf(rules, scores);
  (*debug)["timings_ms"] = {{"recognise", static_cast<double>(recognised - begin) / 1000},
                            {"score", static_cast<double>(scored - recognised) / 1000},
                            {"compose", static_cast<double>(composed - scored) / 1000}};
  out.debug = debug;
  return out;
}

}  // namespace redoubt::diagnose
