#include "backends/torch/operators.h"

#include <ATen/core/stack.h>
#include <fmt/core.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/torch/values.h"

namespace redoubt::backends::torch {
namespace {

namespace jit = ::torch::jit;

// Arithmetic and its fast forms. Not: other processes (c10d, symm_mem, ...), memory by address (inductor), internals.
constexpr std::string_view kNamespaces[] = {"aten",         "prim",      "quantized",        "_quantized",
                                            "quantization", "mkldnn",    "mkldnn_prepacked", "mkl",
                                            "onednn",       "prepacked", "sparse",           "profiler"};
constexpr std::string_view kFileOperators[] = {"aten::save", "aten::from_file"};

bool IsAllowed(const std::string& name) {
  const std::string_view space(name.data(), std::min(name.find("::"), name.size()));
  return std::find(std::begin(kNamespaces), std::end(kNamespaces), space) != std::end(kNamespaces) &&
         std::find(std::begin(kFileOperators), std::end(kFileOperators), name) == std::end(kFileOperators);
}

thread_local const redoubt_script_host* t_host = nullptr;

const redoubt_script_host& Host(const char* what) {
  if (t_host == nullptr) {
    throw std::runtime_error(
        fmt::format("{} works only in a script that a client runs, and not in a task of its own", what));
  }
  return *t_host;
}

void AppendWords(const c10::IValue& value, std::vector<std::string>* words, int depth = 0) {
  constexpr int kMaxDepth = 32;
  if (depth > kMaxDepth) {
    throw std::runtime_error(fmt::format("redis.execute takes lists of up to {} levels, not deeper ones", kMaxDepth));
  }
  if (value.isString()) {
    words->push_back(value.toStringRef());
  } else if (value.isInt()) {
    words->push_back(std::to_string(value.toInt()));
  } else if (value.isDouble()) {
    words->push_back(fmt::format("{}", value.toDouble()));
  } else if (value.isBool()) {
    words->push_back(value.toBool() ? "1" : "0");
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) AppendWords(element, words, depth + 1);
  } else {
    throw std::runtime_error(fmt::format(
        "redis.execute takes strings, numbers and lists of them, not a value of type {}", value.type()->str()));
  }
}

c10::IValue ToValue(const redoubt_reply& reply) {
  switch (reply.kind) {
    case REDOUBT_REPLY_TEXT:
      return std::string(reply.text.data, reply.text.size);
    case REDOUBT_REPLY_INTEGER:
      return reply.integer;
    case REDOUBT_REPLY_NUMBER:
      return reply.number;
    case REDOUBT_REPLY_BOOL:
      return reply.integer != 0;
    case REDOUBT_REPLY_LIST: {
      c10::impl::GenericList list(c10::AnyType::get());
      for (uint64_t i = 0; i < reply.element_count; ++i) list.push_back(ToValue(reply.elements[i]));
      return list;
    }
    default:
      return {};
  }
}

void Execute(jit::Stack& stack) {
  const int64_t count = jit::pop(stack).toInt();
  std::vector<std::string> words;
  for (const c10::IValue& value : jit::last(stack, static_cast<size_t>(count))) AppendWords(value, &words);
  jit::drop(stack, static_cast<size_t>(count));
  std::vector<redoubt_text> texts;
  for (const std::string& word : words) texts.push_back({word.data(), word.size()});
  const redoubt_script_host& host = Host("redis.execute");
  const redoubt_reply* reply = nullptr;
  redoubt_error error{};
  if (host.execute(host.user, texts.data(), texts.size(), &reply, &error) != REDOUBT_OK) {
    throw std::runtime_error(error.message);
  }
  c10::IValue value = ToValue(*reply);
  host.release_reply(host.user, reply);
  jit::push(stack, std::move(value));
}

void AsList(jit::Stack& stack) {
  c10::IValue value = jit::pop(stack);
  if (!value.isList()) {
    throw std::runtime_error(fmt::format("redis.asList: the value is no list but of type {}", value.type()->str()));
  }
  c10::impl::GenericList list(c10::AnyType::get());
  for (const c10::IValue& element : value.toListRef()) list.push_back(element);
  jit::push(stack, c10::IValue(std::move(list)));
}

void ModelExecute(jit::Stack& stack) {
  constexpr int64_t kMaxOutputs = 4096;
  const int64_t output_count = jit::pop(stack).toInt();
  const std::vector<at::Tensor> inputs = jit::pop(stack).toTensorVector();
  const std::string key = jit::pop(stack).toStringRef();
  if (output_count < 1 || output_count > kMaxOutputs) {
    throw std::runtime_error("redisAI.model_execute: the number of outputs must be positive");
  }
  std::vector<at::Tensor> held;
  std::vector<redoubt_view> views;
  for (const at::Tensor& input : inputs) views.push_back(ViewOf(input, &held));
  std::vector<redoubt_output> outputs(static_cast<size_t>(output_count));
  const redoubt_script_host& host = Host("redisAI.model_execute");
  redoubt_error error{};
  if (host.run_model(host.user, {key.data(), key.size()}, views.data(), views.size(), outputs.data(), outputs.size(),
                     &error) != REDOUBT_OK) {
    throw std::runtime_error(error.message);
  }
  c10::List<at::Tensor> results;
  for (const redoubt_output& output : outputs) results.push_back(Adopt(output));
  jit::push(stack, c10::IValue(std::move(results)));
}

}  // namespace

void RemoveOperators() {
  jit::ensure_c10_registerer_defined();
  for (const std::shared_ptr<jit::Operator>& op : jit::getAllOperators()) {
    if (!IsAllowed(op->schema().name())) jit::deregisterOperator(op->schema());
  }
}

void AddScriptOperators() {
  constexpr auto kAnything = c10::AliasAnalysisKind::CONSERVATIVE;
  jit::registerOperator(jit::Operator("redis::execute(str command, ...) -> Any", jit::Operation(&Execute), kAnything));
  jit::registerOperator(jit::Operator("redis::asList(Any value) -> Any[]", jit::Operation(&AsList), kAnything));
  jit::registerOperator(
      jit::Operator("redisAI::model_execute(str model_key, Tensor[] inputs, int num_outputs) -> Tensor[]",
                    jit::Operation(&ModelExecute), kAnything));
}

ScriptHostScope::ScriptHostScope(const redoubt_script_host* host) : before_(std::exchange(t_host, host)) {}
ScriptHostScope::~ScriptHostScope() { t_host = before_; }

}  // namespace redoubt::backends::torch
