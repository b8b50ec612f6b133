#include "module/ai/script_arguments.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "infer/device.h"
#include "module/ai/arguments.h"

namespace redoubt::ai {
namespace {

base::Status WrongArity(const host::Args& args) {
  return Wrong(fmt::format("wrong number of arguments for '{}' command", args[0]));
}

// device [TAG tag]; `*at` moves behind them.
base::Status ReadDeviceAndTag(const host::Args& args, size_t* at, ScriptSource* source) {
  if (!infer::NormalizeDevice(args[2]).ok()) return Wrong("Invalid DEVICE");
  source->device = std::string(args[2]);
  *at = 3;
  if (!args.Is(*at, "TAG")) return base::OkStatus();
  if (*at + 1 >= args.size()) return Wrong("Insufficient arguments, missing script SOURCE");
  source->tag = std::string(args[*at + 1]);
  *at += 2;
  return base::OkStatus();
}

base::Status ReadSource(const host::Args& args, size_t at, ScriptSource* source) {
  if (!args.Is(at, "SOURCE") || at + 1 >= args.size()) return Wrong("Insufficient arguments, missing script SOURCE");
  if (at + 2 != args.size()) return WrongArity(args);
  source->source = std::string(args[at + 1]);
  return base::OkStatus();
}

base::Status ReadEntryPoints(const host::Args& args, size_t* at, ScriptSource* source) {
  if (!args.Is(*at, "ENTRY_POINTS")) return Wrong("Insufficient arguments, missing script entry points");
  const std::optional<int64_t> count = args.Integer(*at + 1);
  if (!count || *count < 1) return Wrong("Non numeric entry points number provided to AI.SCRIPTSTORE command");
  *at += 2;
  if (std::cmp_greater(*count, args.size() - *at)) return Wrong("Insufficient arguments, missing script SOURCE");
  for (int64_t i = 0; i < *count; ++i) source->entry_points.emplace_back(args[(*at)++]);
  return base::OkStatus();
}

bool NamesNoFunction(const host::Args& args) {
  return args.Is(2, "KEYS") || args.Is(2, "INPUTS") || args.Is(2, "ARGS") || args.Is(2, "OUTPUTS") ||
         args.Is(2, "TIMEOUT");
}

struct Section {
  std::string_view keyword;  // "KEYS"
  std::string_view lower;    // "keys"
  WordRange CallArguments::*range;
};
constexpr Section kSections[] = {{"KEYS", "keys", &CallArguments::keys},
                                 {"INPUTS", "inputs", &CallArguments::inputs},
                                 {"ARGS", "args", &CallArguments::args},
                                 {"OUTPUTS", "outputs", &CallArguments::outputs}};

// The count and words after the keyword at `*at`, which moves behind them.
base::Status ReadSection(const host::Args& args, const Section& section, size_t* at, WordRange* range) {
  if (range->first != 0) {
    return Wrong(fmt::format("Already Encountered {} scope in AI.SCRIPTEXECUTE command", section.keyword));
  }
  if (++*at >= args.size()) return Wrong("Invalid arguments provided to AI.SCRIPTEXECUTE");
  const std::optional<int64_t> count = args.Integer((*at)++);
  if (!count || *count < 0)
    return Wrong(fmt::format("Invalid argument for {} count in AI.SCRIPTEXECUTE", section.lower));
  if (std::cmp_greater(*count, args.size() - *at)) {
    return Wrong(fmt::format("number of {} to AI.SCRIPTEXECUTE command does not match the number of given arguments",
                             section.lower));
  }
  *range = {*at, static_cast<size_t>(*count)};
  *at += range->count;
  return base::OkStatus();
}

// The words up to OUTPUTS or the end, of which one may be `$`.
base::Status ReadRunInputs(const host::Args& args, size_t* at, CallArguments* call) {
  call->inputs.first = ++*at;
  for (; *at < args.size() && !args.Is(*at, "OUTPUTS") && !args.Is(*at, "INPUTS"); ++*at) {
    if (args[*at] != "$") {
      ++call->inputs.count;
    } else if (call->list_begin) {
      return Wrong("Already encountered a variable size list of tensors");
    } else {
      call->list_begin = call->inputs.count;
    }
  }
  return base::OkStatus();
}

base::Status ReadRunOutputs(const host::Args& args, size_t* at, CallArguments* call) {
  call->outputs.first = ++*at;
  for (; *at < args.size() && !args.Is(*at, "OUTPUTS") && !args.Is(*at, "INPUTS"); ++*at) {
    if (args[*at] == "$") return Wrong("Encountered a variable size list of tensors outside of input section");
    ++call->outputs.count;
  }
  return base::OkStatus();
}

}  // namespace

base::Result<ScriptSource> ParseScriptStore(const host::Args& args) {
  ScriptSource source;
  size_t at = 0;
  RETURN_IF_ERROR(ReadDeviceAndTag(args, &at, &source));
  RETURN_IF_ERROR(ReadEntryPoints(args, &at, &source));
  RETURN_IF_ERROR(ReadSource(args, at, &source));
  return source;
}

base::Result<ScriptSource> ParseScriptSet(const host::Args& args) {
  ScriptSource source;
  size_t at = 0;
  RETURN_IF_ERROR(ReadDeviceAndTag(args, &at, &source));
  RETURN_IF_ERROR(ReadSource(args, at, &source));
  return source;
}

base::Result<CallArguments> ParseScriptExecute(const host::Args& args) {
  CallArguments call;
  size_t at = 3;
  if (args.Is(at, "ARGS") || args.Is(at, "OUTPUTS") || args.Is(at, "TIMEOUT")) {
    return Wrong("KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command");
  }
  while (at < args.size()) {
    const Section* found = nullptr;
    for (const Section& section : kSections) {
      if (args.Is(at, section.keyword)) found = &section;
    }
    if (found != nullptr) {
      RETURN_IF_ERROR(ReadSection(args, *found, &at, &(call.*found->range)));
    } else if (!args.Is(at, "TIMEOUT")) {
      return Wrong(fmt::format("Invalid AI.SCRIPTEXECUTE command. Unexpected argument: {}", args[at]));
    } else if (call.timeout_ms != 0) {
      return Wrong("Already Encountered TIMEOUT scope in AI.SCRIPTEXECUTE command");
    } else {
      RETURN_IF_ERROR(ReadTimeout(args, &at, &call.timeout_ms, " in AI.SCRIPTEXECUTE"));
    }
  }
  return call;
}

base::Result<CallArguments> ParseScriptRun(const host::Args& args) {
  if (NamesNoFunction(args)) return Wrong("function name not specified");
  CallArguments call;
  size_t at = 3;
  while (at < args.size()) {
    if (args.Is(at, "TIMEOUT")) {
      if (call.timeout_ms != 0) return Wrong("Already encountered a TIMEOUT section in SCRIPTRUN");
      RETURN_IF_ERROR(ReadTimeout(args, &at, &call.timeout_ms));
    } else if (args.Is(at, "INPUTS")) {
      if (call.inputs.first != 0) return Wrong("Already encountered an INPUTS keyword in SCRIPTRUN");
      RETURN_IF_ERROR(ReadRunInputs(args, &at, &call));
    } else if (args.Is(at, "OUTPUTS")) {
      if (call.outputs.first != 0) return Wrong("Already encountered an OUTPUTS keyword in SCRIPTRUN");
      RETURN_IF_ERROR(ReadRunOutputs(args, &at, &call));
    } else if (args[at] == "$") {
      return Wrong("Encountered a variable size list of tensors outside of input section");
    } else {
      return Wrong("Unrecongnized parameter to SCRIPTRUN");
    }
  }
  return call;
}

}  // namespace redoubt::ai
