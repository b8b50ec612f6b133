#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "infer/executor.h"

namespace redoubt::infer {

// One step of a DAG that a device takes: from values to values.
struct DagOp {
  // Begins the step; as Executor::Submit(): `done` is called once, on any thread, but never when an error is returned.
  using Start = std::function<base::Status(Tensors inputs, int64_t timeout_ms, RunDone done)>;

  std::string device;
  std::vector<size_t> inputs;   // numbers of values
  std::vector<size_t> outputs;  // likewise, made by this op alone
  std::vector<size_t> after;    // earlier ops that must have ended: makers of its inputs, the one before on its device
  Start start;
};

// What is to be run, without names. An op reads only what was there before or an earlier op makes, so there is no
// cycle.
struct DagPlan {
  Tensors values;          // by number; null: an op makes it
  std::vector<bool> kept;  // by number: wanted when all is done; the others are freed after their last use
  std::vector<DagOp> ops;
};

// Builds a plan from names. A name that is used again stands for the newer value from then on.
class DagBuilder {
 public:
  void Set(std::string_view name, tensor::Tensor::Ptr value);

  // The value that `name` stands for now.
  std::optional<size_t> Find(std::string_view name) const;

  // Returns the number of the op; NotFound when no value has the name of an input.
  base::Result<size_t> AddOp(std::string device, std::span<const std::string_view> inputs,
                             std::span<const std::string_view> outputs, DagOp::Start start);

  // Wants `value` (see Find) when all is done.
  void Keep(size_t value) { plan_.kept[value] = true; }

  size_t op_count() const { return plan_.ops.size(); }
  DagPlan Take() { return std::move(plan_); }

 private:
  size_t Bind(std::string_view name);

  DagPlan plan_;
  std::map<std::string, size_t, std::less<>> names_;
  std::map<std::string, size_t, std::less<>> last_of_device_;
  std::vector<std::optional<size_t>> maker_;  // of each value: the op
};

}  // namespace redoubt::infer
