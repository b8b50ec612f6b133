#include "module/ai/execute_arguments.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "module/ai/arguments.h"

namespace redoubt::ai {
namespace {

// How many inputs and outputs the model has; none while its session is loading, or where only a run tells.
struct Counts {
  std::optional<size_t> inputs;
  std::optional<size_t> outputs;
};

Counts CountsOf(const ModelValue* model) {
  if (model == nullptr) return {};
  if (!model->source->inputs.empty() && !model->source->outputs.empty() && model->source->backend == "TF") {
    return {model->source->inputs.size(), model->source->outputs.size()};
  }
  base::Result<std::shared_ptr<infer::Model>> built = model->slot->Get();
  if (!built.ok()) return {};
  if ((*built)->counts_outputs_by_run()) return {(*built)->inputs().size(), std::nullopt};
  return {(*built)->inputs().size(), (*built)->outputs().size()};
}

struct Section {
  std::string_view keyword;  // "INPUTS"
  std::string_view lower;    // "input"
  std::string_view title;    // "Input"
};
constexpr Section kInputs = {"INPUTS", "input", "Input"};
constexpr Section kOutputs = {"OUTPUTS", "output", "Output"};

// KEYWORD count key ...; `*at` moves behind it. A mismatch with the model goes to `raw_error`.
base::Status ReadSection(const host::Args& args, const Section& section, std::optional<size_t> expected, size_t* at,
                         size_t* first, size_t* count, std::string* raw_error) {
  if (!args.Is(*at, section.keyword)) return Wrong(fmt::format("{} not specified", section.keyword));
  ++*at;
  const std::optional<int64_t> number = args.Integer(*at);
  if (!number) return Wrong(fmt::format("Invalid argument for {}_count", section.lower));
  if (*number <= 0) return Wrong(fmt::format("{} count must be a positive integer", section.title));
  ++*at;
  if (expected && std::cmp_not_equal(*number, *expected)) {
    *raw_error = CountMismatch(section.keyword);
    return base::OkStatus();
  }
  if (std::cmp_greater(*number, args.size() - *at)) {
    return Wrong(fmt::format(
        "number of {} keys to AI.MODELEXECUTE command does not match the number of given arguments", section.lower));
  }
  *first = *at;
  *count = static_cast<size_t>(*number);
  *at += *count;
  return base::OkStatus();
}

}  // namespace

std::string CountMismatch(std::string_view keyword) {
  return fmt::format("Number of keys given as {} here does not match model definition", keyword);
}

base::Result<ExecuteArguments> ParseModelExecute(const host::Args& args, const ModelValue* model) {
  ExecuteArguments parsed;
  const Counts counts = CountsOf(model);
  size_t at = 2;
  RETURN_IF_ERROR(
      ReadSection(args, kInputs, counts.inputs, &at, &parsed.first_input, &parsed.inputs, &parsed.raw_error));
  if (!parsed.raw_error.empty()) return parsed;
  RETURN_IF_ERROR(
      ReadSection(args, kOutputs, counts.outputs, &at, &parsed.first_output, &parsed.outputs, &parsed.raw_error));
  if (!parsed.raw_error.empty()) return parsed;
  while (at < args.size()) {
    if (!args.Is(at, "TIMEOUT") || parsed.timeout_ms != 0) {
      parsed.raw_error = fmt::format("Invalid argument: {}", args[at]);
      return parsed;
    }
    RETURN_IF_ERROR(ReadTimeout(args, &at, &parsed.timeout_ms));
  }
  return parsed;
}

base::Result<ExecuteArguments> ParseModelRun(const host::Args& args, const ModelValue* model) {
  ExecuteArguments parsed;
  size_t at = 2;
  if (args.Is(at, "TIMEOUT")) RETURN_IF_ERROR(ReadTimeout(args, &at, &parsed.timeout_ms));
  if (!args.Is(at, "INPUTS")) return Wrong("INPUTS not specified");
  parsed.first_input = ++at;
  while (at < args.size() && !args.Is(at, "OUTPUTS")) ++at;
  parsed.inputs = at - parsed.first_input;
  if (at >= args.size()) return Wrong("OUTPUTS not specified");
  parsed.first_output = ++at;
  parsed.outputs = args.size() - at;
  const Counts counts = CountsOf(model);
  if (counts.inputs && *counts.inputs != parsed.inputs) {
    parsed.raw_error = CountMismatch("INPUTS");
  } else if (counts.outputs && *counts.outputs != parsed.outputs) {
    parsed.raw_error = CountMismatch("OUTPUTS");
  }
  return parsed;
}

}  // namespace redoubt::ai
