#include "infer/dag_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace redoubt::infer {

size_t DagBuilder::Bind(std::string_view name) {
  const size_t value = plan_.values.size();
  plan_.values.emplace_back();
  plan_.kept.push_back(false);
  maker_.emplace_back();
  names_.insert_or_assign(std::string(name), value);
  return value;
}

void DagBuilder::Set(std::string_view name, tensor::Tensor::Ptr value) { plan_.values[Bind(name)] = std::move(value); }

std::optional<size_t> DagBuilder::Find(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

base::Result<size_t> DagBuilder::AddOp(std::string device, std::span<const std::string_view> inputs,
                                       std::span<const std::string_view> outputs, DagOp::Start start) {
  DagOp op;
  op.start = std::move(start);
  for (std::string_view name : inputs) {
    const std::optional<size_t> value = Find(name);
    if (!value) return base::NotFound(fmt::format("nothing in the DAG makes '{}' before it is used", name));
    op.inputs.push_back(*value);
    if (maker_[*value]) op.after.push_back(*maker_[*value]);
  }
  const size_t number = plan_.ops.size();
  for (std::string_view name : outputs) {
    op.outputs.push_back(Bind(name));
    maker_.back() = number;
  }
  const auto [before, first_of_device] = last_of_device_.try_emplace(device, number);
  if (!first_of_device) op.after.push_back(std::exchange(before->second, number));
  std::sort(op.after.begin(), op.after.end());
  op.after.erase(std::unique(op.after.begin(), op.after.end()), op.after.end());
  op.device = std::move(device);
  plan_.ops.push_back(std::move(op));
  return number;
}

}  // namespace redoubt::infer
