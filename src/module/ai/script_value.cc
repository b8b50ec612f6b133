#include "module/ai/script_value.h"

#include <fmt/core.h>

#include <utility>

#include "infer/device.h"

namespace redoubt::ai {
namespace {

constexpr uint64_t kMaxEntryPoints = 10'000;

// RedisAI stores the NUL of its C strings with them.
base::Result<std::string> ReadCString(host::RdbReader& in) {
  ASSIGN_OR_RETURN(std::string text, in.Text());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

void WriteCString(host::RdbWriter& out, const std::string& text) { out.Text({text.c_str(), text.size() + 1}); }

}  // namespace

size_t ScriptValue::memory_bytes() const {
  size_t bytes = sizeof(ScriptValue) + sizeof(ScriptSource) + source->source.size() + source->tag.size();
  if (base::Result<std::shared_ptr<infer::Script>> script = slot->Get(); script.ok())
    bytes += (*script)->memory_bytes();
  return bytes;
}

ScriptValue MakeScript(std::shared_ptr<const ScriptSource> source, infer::ModelLoader& loader,
                       infer::BackendRegistry& registry) {
  infer::ScriptSpec spec;
  base::Result<std::string> device = infer::NormalizeDevice(source->device);
  spec.device = device.ok() ? *device : source->device;
  spec.source = source->source;
  spec.source_owner = source;
  spec.entry_points = source->entry_points;
  return {std::move(source), infer::ScriptSlot::Load(loader, registry, std::move(spec))};
}

void SaveScript(host::RdbWriter& out, const ScriptSource& source) {
  WriteCString(out, source.device);
  out.Text(source.tag);
  WriteCString(out, source.source);
  out.Unsigned(source.entry_points.size());
  for (const std::string& name : source.entry_points) WriteCString(out, name);
}

base::Result<std::shared_ptr<ScriptSource>> LoadScriptSource(host::RdbReader& in, int version) {
  if (version < 0 || version > kScriptEncodingVersion) {
    return base::DataLoss(fmt::format("script written by a newer version ({})", version));
  }
  auto source = std::make_shared<ScriptSource>();
  ASSIGN_OR_RETURN(source->device, ReadCString(in));
  RETURN_IF_ERROR(infer::NormalizeDevice(source->device).status());
  ASSIGN_OR_RETURN(source->tag, ReadCString(in));
  ASSIGN_OR_RETURN(source->source, ReadCString(in));
  if (version < 4) return source;
  ASSIGN_OR_RETURN(const uint64_t count, in.UnsignedUpTo(kMaxEntryPoints, "number of entry points"));
  for (uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string name, ReadCString(in));
    source->entry_points.push_back(std::move(name));
  }
  return source;
}

}  // namespace redoubt::ai
