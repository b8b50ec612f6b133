#include "backends/torch/script.h"

#include <ATen/core/stack.h>
#include <c10/core/InferenceMode.h>
#include <fmt/core.h>
#include <torch/csrc/jit/frontend/resolver.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "backends/torch/errors.h"
#include "backends/torch/operators.h"
#include "backends/torch/source_check.h"
#include "backends/torch/values.h"

namespace redoubt::backends::torch {
namespace {

namespace jit = ::torch::jit;

// The names that a script finds besides Python's: torch, and RedisAI's two.
class ScriptNames final : public jit::Resolver {
 public:
  std::shared_ptr<jit::SugaredValue> resolveValue(const std::string& name, jit::GraphFunction& /*function*/,
                                                  const jit::SourceRange& /*place*/) override {
    if (name == "torch") return std::make_shared<jit::BuiltinModule>("aten");
    if (name == "redis" || name == "redisAI") return std::make_shared<jit::BuiltinModule>(name);
    return nullptr;
  }
};

bool IsListOf(const c10::TypePtr& type, c10::TypeKind kind) {
  const auto list = type->cast<c10::ListType>();
  return list != nullptr && list->getElementType()->kind() == kind;
}

bool IsEntryPoint(const c10::FunctionSchema& schema) {
  const std::vector<c10::Argument>& arguments = schema.arguments();
  return arguments.size() == 3 && IsListOf(arguments[0].type(), c10::TypeKind::TensorType) &&
         IsListOf(arguments[1].type(), c10::TypeKind::StringType) &&
         IsListOf(arguments[2].type(), c10::TypeKind::StringType);
}

c10::List<std::string> Strings(const redoubt_text* texts, uint64_t count) {
  c10::List<std::string> strings;
  for (uint64_t i = 0; i < count; ++i) strings.push_back(std::string(texts[i].data, texts[i].size));
  return strings;
}

c10::List<at::Tensor> Copies(const redoubt_script_call& call, uint64_t begin, uint64_t end) {
  c10::List<at::Tensor> tensors;
  for (uint64_t i = begin; i < end; ++i) tensors.push_back(CopyOf(call.tensors[i]));
  return tensors;
}

jit::Stack EntryPointArguments(const redoubt_script_call& call) {
  jit::Stack stack;
  stack.emplace_back(Copies(call, 0, call.tensor_count));
  stack.emplace_back(Strings(call.keys, call.key_count));
  stack.emplace_back(Strings(call.args, call.arg_count));
  return stack;
}

[[noreturn]] void WrongCount(const redoubt_script_call& call, size_t expected, uint64_t given) {
  throw std::invalid_argument(
      fmt::format("Wrong number of inputs in function {}. Expected {} but was {}", call.function, expected, given));
}

// One tensor for each Tensor, the others for the one List[Tensor].
jit::Stack PositionalArguments(const c10::FunctionSchema& schema, const redoubt_script_call& call) {
  const std::vector<c10::Argument>& arguments = schema.arguments();
  const auto is_list = [](const c10::Argument& a) { return IsListOf(a.type(), c10::TypeKind::TensorType); };
  const size_t lists = static_cast<size_t>(std::count_if(arguments.begin(), arguments.end(), is_list));
  const size_t singles = arguments.size() - lists;
  if (lists > 1)
    throw std::invalid_argument(fmt::format("function {} takes more than one list of tensors", call.function));
  if (call.tensor_count < singles || (lists == 0 && call.tensor_count != singles)) {
    WrongCount(call, singles, call.tensor_count);
  }
  const uint64_t in_list = call.tensor_count - singles;
  jit::Stack stack;
  uint64_t next = 0;
  for (const c10::Argument& argument : arguments) {
    if (is_list(argument)) {
      if (call.list_begin != UINT64_MAX && call.list_begin != next) WrongCount(call, next, call.list_begin);
      stack.emplace_back(Copies(call, next, next + in_list));
      next += in_list;
    } else if (argument.type()->kind() == c10::TypeKind::TensorType) {
      stack.emplace_back(CopyOf(call.tensors[next++]));
    } else {
      throw std::invalid_argument(
          fmt::format("Wrong inputs type in function {}. Expected signature similar to: def {}(tensors: List[Tensor], "
                      "keys: List[str], "
                      "args: List[str])",
                      call.function, call.function));
    }
  }
  if (lists == 0 && call.list_begin != UINT64_MAX) {
    throw std::invalid_argument(fmt::format("function {} takes no list of tensors", call.function));
  }
  return stack;
}

}  // namespace

int32_t Script::Compile(const redoubt_script_source& source, std::unique_ptr<Script>* script, redoubt_error* error) {
  if (std::strncmp(source.device, "CPU", 3) != 0) {
    return Fail(error, REDOUBT_UNSUPPORTED, "ERR GPU requested but Torch couldn't find CUDA");
  }
  const std::string_view text(source.source.data, source.source.size);
  if (const std::string refusal = RefusalOf(text); !refusal.empty()) {
    return Fail(error, REDOUBT_INVALID_MODEL, refusal);
  }
  std::unique_ptr<Script> compiled(new Script);
  compiled->source_bytes_ = text.size();
  compiled->unit_->define(std::nullopt, std::string(text), std::make_shared<ScriptNames>(), nullptr);
  compiled->ListFunctions();
  *script = std::move(compiled);
  return REDOUBT_OK;
}

void Script::ListFunctions() {
  for (const jit::Function* function : unit_->get_functions()) {
    const c10::FunctionSchema& schema = function->getSchema();
    std::ostringstream signature;
    signature << schema;
    names_.push_back(function->name());
    signatures_.push_back(std::move(signature).str());
    redoubt_script_function row{};
    row.parameter_count = schema.arguments().size();
    row.is_entry_point = IsEntryPoint(schema) ? 1 : 0;
    rows_.push_back(row);
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].name = names_[i].c_str();
    rows_[i].signature = signatures_[i].c_str();
  }
}

std::vector<at::Tensor> Script::Call(jit::Function& function, bool is_entry_point, const redoubt_script_call& call) {
  const c10::InferenceMode inference;
  const ScriptHostScope host(call.host);
  jit::Stack stack = is_entry_point ? EntryPointArguments(call) : PositionalArguments(function.getSchema(), call);
  function.run(stack);
  c10::IValue result = std::move(stack.at(0));
  stack.clear();
  return Flatten(std::move(result));
}

int32_t Script::Run(const redoubt_script_call& call, redoubt_output* outputs, uint64_t capacity, uint64_t* output_count,
                    redoubt_error* error) {
  const auto named = std::find(names_.begin(), names_.end(), call.function);
  jit::Function* function = named == names_.end() ? nullptr : unit_->find_function(c10::QualifiedName(*named));
  if (function == nullptr) {
    return Fail(error, REDOUBT_INVALID_INPUT,
                fmt::format("Function {} does not exist in the given script.", call.function));
  }
  const bool is_entry_point = rows_[static_cast<size_t>(named - names_.begin())].is_entry_point != 0;
  std::vector<at::Tensor> tensors = Call(*function, is_entry_point, call);
  *output_count = tensors.size();
  if (tensors.size() > capacity) {
    return Fail(error, REDOUBT_RUN_FAILED,
                fmt::format("function {} gave {} tensors, more than {}", call.function, tensors.size(), capacity));
  }
  ToOutputs(std::move(tensors), outputs);
  return REDOUBT_OK;
}

}  // namespace redoubt::backends::torch
