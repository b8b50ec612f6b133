// AI.MODELGET key [META] [BLOB] [SCHEMA]
#include <algorithm>
#include <string>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"

namespace redoubt::ai {
namespace {

void ReplyNames(host::Context& ctx, const std::vector<std::string>& names) {
  ctx.ReplyArray(names.size());
  for (const std::string& name : names) ctx.ReplyBulk(name);
}

std::vector<std::string> NamesOf(const std::vector<infer::ModelIo>& rows) {
  std::vector<std::string> names;
  for (const infer::ModelIo& row : rows) names.push_back(row.name);
  return names;
}

void ReplyBlob(host::Context& ctx, const ModelSource& source, size_t chunk) {
  const std::span<const std::byte> blob = source.blob.span();
  if (blob.size() <= chunk) {
    ctx.ReplyBytes(blob);
    return;
  }
  const size_t pieces = (blob.size() + chunk - 1) / chunk;
  ctx.ReplyArray(pieces);
  for (size_t i = 0; i < pieces; ++i) ctx.ReplyBytes(blob.subspan(i * chunk, std::min(chunk, blob.size() - i * chunk)));
}

// [name, type, shape] per row; a dimension of -1 is free, no shape: any.
void ReplyRows(host::Context& ctx, const std::vector<infer::ModelIo>& rows) {
  ctx.ReplyArray(rows.size());
  for (const infer::ModelIo& row : rows) {
    ctx.ReplyArray(3);
    ctx.ReplyBulk(row.name);
    ctx.ReplyBulk(row.dtype ? DTypeName(*row.dtype) : std::string_view(row.type_text));
    if (!row.shape) {
      ctx.ReplyNull();
      continue;
    }
    ctx.ReplyArray(row.shape->size());
    for (int64_t dim : *row.shape) ctx.ReplyInteger(dim);
  }
}

void ReplySchema(host::Context& ctx, const ModelValue& value) {
  const base::Result<std::shared_ptr<infer::Model>> model = value.slot->Get();
  static const std::vector<infer::ModelIo> kNone;
  ctx.ReplyArray(12);
  ctx.ReplyBulk("state");
  ctx.ReplyBulk(!value.slot->built() ? "loading" : model.ok() ? "ready" : "failed");
  ctx.ReplyBulk("error");
  ctx.ReplyBulk(value.slot->built() && !model.ok() ? std::string_view(model.status().message()) : std::string_view());
  ctx.ReplyBulk("inputs");
  ReplyRows(ctx, model.ok() ? (*model)->inputs() : kNone);
  ctx.ReplyBulk("outputs");
  ReplyRows(ctx, model.ok() ? (*model)->outputs() : kNone);
  ctx.ReplyBulk("memory");
  ctx.ReplyInteger(static_cast<int64_t>(value.memory_bytes()));
  ctx.ReplyBulk("opset");
  ctx.ReplyInteger(model.ok() ? (*model)->opset() : 0);
}

void ReplyMeta(host::Context& ctx, const ModelValue& value) {
  const ModelSource& source = *value.source;
  const base::Result<std::shared_ptr<infer::Model>> model = value.slot->Get();
  const bool own_names = model.ok() && (source.backend != "TF" || source.outputs.empty());
  ctx.ReplyBulk("backend");
  ctx.ReplyBulk(source.backend);
  ctx.ReplyBulk("device");
  ctx.ReplyBulk(source.device);
  ctx.ReplyBulk("tag");
  ctx.ReplyBulk(source.tag);
  ctx.ReplyBulk("batchsize");
  ctx.ReplyInteger(source.batching.size);
  ctx.ReplyBulk("minbatchsize");
  ctx.ReplyInteger(source.batching.min_size);
  ctx.ReplyBulk("inputs");
  ReplyNames(ctx, own_names ? NamesOf((*model)->inputs()) : source.inputs);
  ctx.ReplyBulk("outputs");
  ReplyNames(ctx, own_names ? NamesOf((*model)->outputs()) : source.outputs);
  ctx.ReplyBulk("minbatchtimeout");
  ctx.ReplyInteger(source.batching.min_timeout_ms);
}

}  // namespace

base::Status ModelGet(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 2 || args.size() > 5) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(const ModelValue* value, ReadModel(ctx, args.raw(1)));
  bool meta = false;
  bool blob = false;
  bool schema = false;
  for (size_t i = 2; i < args.size(); ++i) {  // other words are ignored, as ever
    meta = meta || args.Is(i, "META");
    blob = blob || args.Is(i, "BLOB");
    schema = schema || args.Is(i, "SCHEMA");
  }
  if (!meta && !blob && !schema) meta = blob = true;
  const size_t chunk = static_cast<size_t>(ai.settings().model_chunk_size);
  if (blob && !meta && !schema) {
    ReplyBlob(ctx, *value->source, chunk);
    return base::OkStatus();
  }
  // Behind what RedisAI replies, and only where it is asked for: some clients compare the whole reply.
  ctx.ReplyArray((meta ? 16 : 0) + (blob ? 2 : 0) + (schema ? 2 : 0));
  if (meta) ReplyMeta(ctx, *value);
  if (blob) {
    ctx.ReplyBulk("blob");
    ReplyBlob(ctx, *value->source, chunk);
  }
  if (schema) {
    ctx.ReplyBulk("schema");
    ReplySchema(ctx, *value);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
