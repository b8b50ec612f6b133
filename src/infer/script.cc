#include "infer/script.h"

#include <fmt/core.h>

#include <deque>
#include <memory>
#include <utility>

#include "infer/division_watch.h"
#include "infer/tensor_views.h"

namespace redoubt::infer {
namespace {

constexpr size_t kMaxOutputs = 1024;

redoubt_text TextOf(std::string_view text) { return {text.data(), text.size()}; }

// The C form of a reply: the nodes of each list lie side by side, in a place that does not move.
struct ReplyTree : redoubt_reply {
  CommandReply source;
  std::deque<std::vector<redoubt_reply>> lists;

  void Fill(const CommandReply& from, redoubt_reply* to) {
    to->kind = from.kind;
    to->text = TextOf(from.text);
    to->integer = from.integer;
    to->number = from.number;
    to->elements = nullptr;
    to->element_count = from.elements.size();
    if (from.elements.empty()) return;
    std::vector<redoubt_reply>& list = lists.emplace_back(from.elements.size());
    for (size_t i = 0; i < list.size(); ++i) Fill(from.elements[i], &list[i]);
    to->elements = list.data();
  }
};

// Our host behind the C functions that a backend calls.
struct HostBridge {
  ScriptHost& host;

  static int32_t Execute(void* user, const redoubt_text* words, uint64_t count, const redoubt_reply** reply,
                         redoubt_error* error) {
    std::vector<std::string_view> views;
    for (uint64_t i = 0; i < count; ++i) views.emplace_back(words[i].data, words[i].size);
    base::Result<CommandReply> answer = static_cast<HostBridge*>(user)->host.Execute(views);
    if (!answer.ok()) return FromStatus(answer.status(), error);
    auto tree = std::make_unique<ReplyTree>();
    tree->source = std::move(*answer);
    tree->Fill(tree->source, tree.get());
    *reply = tree.release();
    return REDOUBT_OK;
  }

  static void ReleaseReply(void* /*user*/, const redoubt_reply* reply) { delete static_cast<const ReplyTree*>(reply); }

  static int32_t RunModel(void* user, redoubt_text key, const redoubt_view* inputs, uint64_t input_count,
                          redoubt_output* outputs, uint64_t output_count, redoubt_error* error) {
    Tensors tensors;
    for (uint64_t i = 0; i < input_count; ++i) {
      base::Result<tensor::Tensor::Ptr> tensor = Borrow(inputs[i]);
      if (!tensor.ok()) return FromStatus(tensor.status(), error);
      tensors.push_back(std::move(*tensor));
    }
    base::Result<Tensors> results = static_cast<HostBridge*>(user)->host.RunModel({key.data, key.size}, tensors);
    if (!results.ok()) return FromStatus(results.status(), error);
    if (results->size() != output_count) {
      return FromStatus(
          base::InvalidArgument(fmt::format("the model '{}' gave {} outputs, the script wants {}",
                                            std::string_view(key.data, key.size), results->size(), output_count)),
          error);
    }
    for (size_t i = 0; i < results->size(); ++i) outputs[i] = LendOutput((*results)[i]);
    return REDOUBT_OK;
  }
};

base::Status NoFunction(const std::string& name) {
  return base::InvalidArgument(fmt::format("Function {} does not exist in the given script.", name));
}

}  // namespace

base::Result<std::shared_ptr<Script>> Script::Compile(BackendRegistry& registry, const ScriptSpec& spec) {
  ASSIGN_OR_RETURN(const Backend* backend, registry.Get("TORCH"));
  const redoubt_script_table* table = backend->table().scripts;
  if (table == nullptr) {
    return base::Unimplemented(fmt::format("{} runs no scripts", backend->path()));
  }
  const redoubt_script_source source{TextOf(spec.source), spec.device.c_str()};
  redoubt_script* script = nullptr;
  redoubt_error error{};
  const DivisionWatch divisions;
  const int32_t code = table->compile(&source, &script, &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  auto compiled = std::make_shared<Script>(*table, script, registry.memory());
  RETURN_IF_ERROR(divisions.Outcome());
  RETURN_IF_ERROR(compiled->CheckEntryPoints(spec.entry_points));
  return compiled;
}

Script::Script(const redoubt_script_table& table, redoubt_script* script, base::MemoryResource& memory)
    : table_(table), script_(script), memory_(memory) {
  for (uint64_t i = 0; i < table.function_count(script); ++i) {
    const redoubt_script_function& row = *table.function(script, i);
    functions_.push_back({row.name, row.parameter_count, row.is_entry_point != 0, row.signature});
  }
}

Script::~Script() { table_.free(script_); }

const ScriptFunction* Script::Find(std::string_view name) const {
  for (const ScriptFunction& function : functions_) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

base::Status Script::CheckEntryPoints(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    const ScriptFunction* function = Find(name);
    if (function == nullptr) {
      return NoFunction(name);
    }
    if (function->is_entry_point) continue;
    if (function->parameter_count != 3) {
      return base::InvalidArgument(
          fmt::format("Wrong number of inputs in function {}. Expected 3 but was {}", name, function->parameter_count));
    }
    return base::InvalidArgument(fmt::format(
        "Wrong inputs type in function {}. Expected signature similar to: def {}(tensors: List[Tensor], keys: "
        "List[str], args: List[str])",
        name, name));
  }
  return base::OkStatus();
}

base::Result<Tensors> Script::Run(const ScriptCall& call, ScriptHost& host) const {
  if (Find(call.function) == nullptr) return NoFunction(call.function);
  HostBridge bridge{host};
  const redoubt_script_host c_host{&bridge, &HostBridge::Execute, &HostBridge::ReleaseReply, &HostBridge::RunModel};
  const std::vector<redoubt_view> views = ViewsOf(call.tensors);
  std::vector<redoubt_text> keys;
  std::vector<redoubt_text> args;
  for (const std::string& key : call.keys) keys.push_back(TextOf(key));
  for (const std::string& arg : call.args) args.push_back(TextOf(arg));
  redoubt_script_call c_call{};
  c_call.function = call.function.c_str();
  c_call.tensors = views.data();
  c_call.tensor_count = views.size();
  c_call.list_begin = call.list_begin ? *call.list_begin : UINT64_MAX;
  c_call.keys = keys.data();
  c_call.key_count = keys.size();
  c_call.args = args.data();
  c_call.arg_count = args.size();
  c_call.host = &c_host;
  std::vector<redoubt_output> outputs(kMaxOutputs);
  uint64_t count = 0;
  redoubt_error error{};
  const DivisionWatch divisions;
  const int32_t code = table_.run(script_, &c_call, outputs.data(), outputs.size(), &count, &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  base::Result<Tensors> taken = TakeOutputs(std::span(outputs).first(count), memory_);
  RETURN_IF_ERROR(divisions.Outcome());
  return taken;
}

std::shared_ptr<ScriptSlot> ScriptSlot::Load(ModelLoader& loader, BackendRegistry& registry, ScriptSpec spec) {
  std::shared_ptr<ScriptSlot> slot(new ScriptSlot(std::move(spec)),
                                   [&loader](ScriptSlot* last) { loader.Run([last] { delete last; }); });
  loader.Run([slot, &registry] { slot->Finish(Script::Compile(registry, slot->spec())); },
             [slot](const base::Status& why) { slot->Finish(why); });
  return slot;
}

ScriptJob::ScriptJob(std::shared_ptr<ScriptSlot> script, ScriptCall call, std::shared_ptr<ScriptHost> host)
    : script_(std::move(script)), call_(std::move(call)), host_(std::move(host)) {}

base::Result<Tensors> ScriptJob::Run(int64_t limit_ms) {
  host_->Limit(limit_ms);
  ASSIGN_OR_RETURN(const std::shared_ptr<Script> script, script_->Get());
  return script->Run(call_, *host_);
}

}  // namespace redoubt::infer
