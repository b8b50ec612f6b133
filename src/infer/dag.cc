#include "infer/dag.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/thread_annotations.h"
#include "infer/deadline_timer.h"

namespace redoubt::infer {
namespace {

using State = DagOpResult::State;

// One DAG in progress; kept alive by the callbacks of its ops.
class DagRun : public std::enable_shared_from_this<DagRun> {
 public:
  DagRun(DagPlan plan, int64_t timeout_ms, DagDone done)
      : ops_(std::move(plan.ops)),
        kept_(std::move(plan.kept)),
        deadline_us_(timeout_ms > 0 ? SteadyNowUs() + timeout_ms * 1000 : 0),
        done_(std::move(done)),
        waits_for_(ops_.size()),
        followers_(ops_.size()),
        uses_(plan.values.size()) {
    result_.values = std::move(plan.values);
    result_.ops.resize(ops_.size());
    for (size_t op = 0; op < ops_.size(); ++op) {
      waits_for_[op] = ops_[op].after.size();
      for (size_t before : ops_[op].after) followers_[before].push_back(op);
      for (size_t value : ops_[op].inputs) ++uses_[value];
    }
  }

  void Begin() {
    std::vector<size_t> ready;
    for (size_t op = 0; op < ops_.size(); ++op) {
      if (ops_[op].after.empty()) ready.push_back(op);
    }
    if (ready.empty()) {
      done_(std::move(result_));
      return;
    }
    unsettled_ = ready.size();
    StartAll(ready);
  }

 private:
  struct Outcome {
    State state = State::kNotRun;
    base::Status status;
    RunTimes times;
    Tensors outputs;
  };

  void StartAll(const std::vector<size_t>& ready) {
    for (size_t op : ready) Start(op);
  }

  void Start(size_t op) {
    std::optional<Tensors> inputs = TakeInputs(op);
    if (!inputs) return Settle(op, {});
    int64_t timeout_ms = 0;
    if (deadline_us_ > 0) {
      const int64_t left_us = deadline_us_ - SteadyNowUs();
      if (left_us <= 0) return Settle(op, Failure(base::DeadlineExceeded("the time given to the DAG is over")));
      timeout_ms = (left_us + 999) / 1000;
    }
    base::Status started =
        ops_[op].start(std::move(*inputs), timeout_ms,
                       [self = shared_from_this(), op](base::Result<Tensors> outputs, const RunTimes& times) {
                         self->OnEnd(op, std::move(outputs), times);
                       });
    if (!started.ok()) Settle(op, {State::kRefused, std::move(started), {}, {}});
  }

  void OnEnd(size_t op, base::Result<Tensors> outputs, const RunTimes& times) {
    if (!outputs.ok()) return Settle(op, Failure(outputs.status(), times));
    if (outputs->size() != ops_[op].outputs.size()) {
      return Settle(op, Failure(base::Internal("an op of a DAG gave another number of tensors than it has outputs")));
    }
    Settle(op, {State::kDone, base::OkStatus(), times, std::move(*outputs)});
  }

  static Outcome Failure(base::Status status, const RunTimes& times = {}) {
    return {State::kFailed, std::move(status), times, {}};
  }

  // None when the op is not to be started any more.
  std::optional<Tensors> TakeInputs(size_t op) {
    std::lock_guard lock(mu_);
    if (failed_ || done_ == nullptr) return std::nullopt;
    result_.ops[op].state = State::kRunning;
    Tensors inputs;
    for (size_t value : ops_[op].inputs) {
      tensor::Tensor::Ptr& tensor = result_.values[value];
      const bool last_use = --uses_[value] == 0 && !kept_[value];
      inputs.push_back(last_use ? std::move(tensor) : tensor);
    }
    return inputs;
  }

  // An op that was ready has ended, or never begun: notes how, and starts what waited for it or answers.
  void Settle(size_t op, Outcome outcome) {
    std::vector<size_t> ready;
    DagDone done;
    DagResult result;
    {
      std::lock_guard lock(mu_);
      --unsettled_;
      if (done_ == nullptr) return;  // answered when the time was over
      Note(op, std::move(outcome));
      if (!failed_) ready = Release(op);
      unsettled_ += ready.size();
      if (unsettled_ == 0 || result_.timed_out) {
        done = std::exchange(done_, nullptr);
        result = std::move(result_);
      }
    }
    if (done != nullptr) {
      done(std::move(result));
    } else {
      StartAll(ready);
    }
  }

  // With mu_ held, as the next.
  void Note(size_t op, Outcome outcome) {
    DagOpResult& noted = result_.ops[op];
    noted.state = outcome.state;
    noted.status = std::move(outcome.status);
    noted.times = outcome.times;
    if (outcome.state != State::kDone) {
      failed_ = true;
      result_.timed_out = deadline_us_ > 0 && noted.status.code() == base::StatusCode::kDeadlineExceeded;
      return;
    }
    if (!outcome.outputs.empty() && !outcome.outputs[0]->shape().empty()) noted.rows = outcome.outputs[0]->shape()[0];
    for (size_t i = 0; i < outcome.outputs.size(); ++i) {
      const size_t value = ops_[op].outputs[i];
      if (uses_[value] > 0 || kept_[value]) result_.values[value] = std::move(outcome.outputs[i]);
    }
  }

  std::vector<size_t> Release(size_t op) {
    std::vector<size_t> ready;
    for (size_t follower : followers_[op]) {
      if (--waits_for_[follower] == 0) ready.push_back(follower);
    }
    return ready;
  }

  std::vector<DagOp> ops_;
  const std::vector<bool> kept_;
  const int64_t deadline_us_;  // 0: none

  std::mutex mu_;
  DagDone done_ GUARDED_BY(mu_);  // null once answered
  DagResult result_ GUARDED_BY(mu_);
  std::vector<size_t> waits_for_ GUARDED_BY(mu_);  // of each op: how many that have not ended
  std::vector<std::vector<size_t>> followers_;     // of each op: those that wait for it
  std::vector<size_t> uses_ GUARDED_BY(mu_);       // of each value: inputs not yet taken
  size_t unsettled_ GUARDED_BY(mu_) = 0;           // ops that were ready and have not settled
  bool failed_ GUARDED_BY(mu_) = false;
};

}  // namespace

bool DagResult::ok() const {
  return !timed_out &&
         std::all_of(ops.begin(), ops.end(), [](const DagOpResult& op) { return op.state == State::kDone; });
}

void RunDag(DagPlan plan, int64_t timeout_ms, DagDone done) {
  std::make_shared<DagRun>(std::move(plan), timeout_ms, std::move(done))->Begin();
}

}  // namespace redoubt::infer
