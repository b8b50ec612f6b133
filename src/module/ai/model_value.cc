#include "module/ai/model_value.h"

#include <fmt/core.h>

#include <cstring>
#include <utility>

#include "infer/device.h"

namespace redoubt::ai {
namespace {

constexpr uint64_t kMaxNames = 10'000;
constexpr uint64_t kMaxBatch = uint64_t{1} << 62;
constexpr size_t kChunk = size_t{64} << 20;
constexpr const char* kRedisAiBackends[] = {"TF", "TFLITE", "TORCH", "ONNX"};

// RedisAI stored the NUL of its C strings with them.
std::string WithoutNul(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

base::Status ReadNames(host::RdbReader& in, std::vector<std::string>* names) {
  ASSIGN_OR_RETURN(const uint64_t count, in.UnsignedUpTo(kMaxNames, "number of model inputs or outputs"));
  for (uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string name, in.Text());
    names->push_back(WithoutNul(std::move(name)));
  }
  return base::OkStatus();
}

// A blob in pieces, as both we and RedisAI (since version 1) store it.
base::Result<base::Buffer> ReadChunks(host::RdbReader& in, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const uint64_t length, in.Unsigned());
  ASSIGN_OR_RETURN(const uint64_t chunks, in.UnsignedUpTo(1'000'000, "number of model pieces"));
  if (chunks == 1) {
    ASSIGN_OR_RETURN(base::Buffer whole, in.Bytes());
    if (whole.size() != length) return base::DataLoss("the pieces of the model do not add up to its length");
    return whole;
  }
  // Collected first: the announced length may be a lie.
  std::vector<base::Buffer> pieces;
  size_t total = 0;
  for (uint64_t i = 0; i < chunks; ++i) {
    ASSIGN_OR_RETURN(base::Buffer piece, in.Bytes());
    if (piece.size() > length - total) return base::DataLoss("the pieces of the model do not add up to its length");
    total += piece.size();
    pieces.push_back(std::move(piece));
  }
  if (total != length) return base::DataLoss("the pieces of the model do not add up to its length");
  ASSIGN_OR_RETURN(base::Buffer blob, base::Buffer::Create(total, memory));
  size_t at = 0;
  for (const base::Buffer& piece : pieces) {
    if (piece.size() > 0) std::memcpy(blob.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  return blob;
}

base::Status ReadBatching(host::RdbReader& in, bool with_timeout, infer::Batching* batching) {
  ASSIGN_OR_RETURN(const uint64_t size, in.UnsignedUpTo(kMaxBatch, "batch size"));
  ASSIGN_OR_RETURN(const uint64_t min_size, in.UnsignedUpTo(kMaxBatch, "minimal batch size"));
  *batching = {static_cast<int64_t>(size), static_cast<int64_t>(min_size), 0};
  if (with_timeout) {
    ASSIGN_OR_RETURN(const uint64_t timeout, in.UnsignedUpTo(uint64_t{1} << 40, "batch timeout"));
    batching->min_timeout_ms = static_cast<int64_t>(timeout);
  }
  return base::OkStatus();
}

base::Status ReadBackend(host::RdbReader& in, int version, std::string* backend) {
  if (version == kModelEncodingVersion) {
    ASSIGN_OR_RETURN(*backend, in.Text());
  } else {
    ASSIGN_OR_RETURN(const uint64_t number, in.UnsignedUpTo(3, "model backend"));
    *backend = kRedisAiBackends[number];
  }
  if (!infer::BackendRegistry::IsKnown(*backend)) return base::DataLoss("unknown model backend");
  return base::OkStatus();
}

}  // namespace

size_t ModelValue::memory_bytes() const {
  size_t bytes = sizeof(ModelValue) + sizeof(ModelSource) + source->blob.size() + source->tag.size();
  if (base::Result<std::shared_ptr<infer::Model>> model = slot->Get(); model.ok()) bytes += (*model)->memory_bytes();
  return bytes;
}

ModelValue MakeModel(std::shared_ptr<const ModelSource> source, infer::ModelLoader& loader) {
  infer::ModelSpec spec;
  spec.backend = source->backend;
  base::Result<std::string> device = infer::NormalizeDevice(source->device);
  spec.device = device.ok() ? *device : source->device;
  spec.tag = source->tag;
  spec.blob = source->blob.span();
  spec.blob_owner = source;
  spec.batching = source->batching;
  spec.inputs = source->inputs;
  spec.outputs = source->outputs;
  return {std::move(source), loader.Load(std::move(spec))};
}

void SaveModel(host::RdbWriter& out, const ModelSource& source) {
  out.Text(source.backend);
  out.Text(source.device);
  out.Text(source.tag);
  out.Unsigned(static_cast<uint64_t>(source.batching.size));
  out.Unsigned(static_cast<uint64_t>(source.batching.min_size));
  out.Unsigned(static_cast<uint64_t>(source.batching.min_timeout_ms));
  for (const std::vector<std::string>* names : {&source.inputs, &source.outputs}) {
    out.Unsigned(names->size());
    for (const std::string& name : *names) out.Text(name);
  }
  const std::span<const std::byte> blob = source.blob.span();
  out.Unsigned(blob.size());
  out.Unsigned((blob.size() + kChunk - 1) / kChunk);
  for (size_t at = 0; at < blob.size(); at += kChunk) out.Bytes(blob.subspan(at, std::min(kChunk, blob.size() - at)));
}

base::Result<std::shared_ptr<ModelSource>> LoadModelSource(host::RdbReader& in, int version,
                                                           base::MemoryResource& memory) {
  if (version < 0 || version > kModelEncodingVersion) {
    return base::DataLoss(fmt::format("model written by a newer version ({})", version));
  }
  auto source = std::make_shared<ModelSource>();
  RETURN_IF_ERROR(ReadBackend(in, version, &source->backend));
  ASSIGN_OR_RETURN(std::string device, in.Text());
  source->device = WithoutNul(std::move(device));
  RETURN_IF_ERROR(infer::NormalizeDevice(source->device).status());
  ASSIGN_OR_RETURN(std::string tag, in.Text());
  source->tag = WithoutNul(std::move(tag));
  RETURN_IF_ERROR(ReadBatching(in, version >= 2, &source->batching));
  RETURN_IF_ERROR(ReadNames(in, &source->inputs));
  RETURN_IF_ERROR(ReadNames(in, &source->outputs));
  if (version == 0) {
    ASSIGN_OR_RETURN(source->blob, in.Bytes());
  } else {
    ASSIGN_OR_RETURN(source->blob, ReadChunks(in, memory));
  }
  return source;
}

}  // namespace redoubt::ai
