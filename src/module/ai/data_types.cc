#include "module/ai/data_types.h"

#include <string>
#include <utility>
#include <vector>

#include "module/ai/commands.h"
#include "module/ai/tensor_rdb.h"
#include "module/host/command.h"
#include "module/host/server_memory.h"

namespace redoubt::ai {
namespace {

using tensor::Tensor;
using TensorValue = std::shared_ptr<const Tensor>;

// Given out by the server at registration; trivially destroyed.
RedisModuleType* g_tensor_type = nullptr;
RedisModuleType* g_model_type = nullptr;

// Above this UNLINK and FLUSHALL ASYNC hand the value to a background thread (the server's limit is 64).
constexpr size_t kFreeInBackground = 65;
constexpr size_t kLargeBytes = size_t{1} << 20;

AiModule& Ai() { return *host::StateOf<AiModule>::value; }

TensorValue* AsTensor(void* value) { return static_cast<TensorValue*>(value); }
ModelValue* AsModel(void* value) { return static_cast<ModelValue*>(value); }

void LogFailedLoad(RedisModuleIO* io, const char* what, const base::Status& status) {
  RedisModule_LogIOError(io, "warning", "%s cannot be loaded: %s", what, status.message().c_str());
}

// ---- tensors ----

void* LoadTensorValue(RedisModuleIO* io, int version) {
  host::ServerRdbReader reader(io);
  auto tensor = LoadTensor(reader, version, Ai().memory());
  if (!tensor.ok()) {
    LogFailedLoad(io, "a tensor", tensor.status());
    return nullptr;
  }
  return new TensorValue(std::move(*tensor));
}

void SaveTensorValue(RedisModuleIO* io, void* value) {
  host::RdbWriter writer(io);
  SaveTensor(writer, **AsTensor(value));
}

std::vector<std::string> ShapeWords(const Tensor& tensor) {
  std::vector<std::string> words;
  for (int64_t dim : tensor.shape()) words.push_back(std::to_string(dim));
  return words;
}

// Strings of the server for a "v" argument; freed at the end.
class StringList {
 public:
  void Add(std::string_view text) { strings_.push_back(RedisModule_CreateString(nullptr, text.data(), text.size())); }
  ~StringList() {
    for (RedisModuleString* string : strings_) RedisModule_FreeString(nullptr, string);
  }
  RedisModuleString** data() { return strings_.data(); }
  size_t size() const { return strings_.size(); }

 private:
  std::vector<RedisModuleString*> strings_;
};

void RewriteTensor(RedisModuleIO* aof, RedisModuleString* key, void* value) {
  const Tensor& tensor = **AsTensor(value);
  StringList shape;
  for (const std::string& word : ShapeWords(tensor)) shape.Add(word);
  const std::string dtype(DTypeName(tensor.dtype()));
  RedisModule_EmitAOF(aof, "AI.TENSORSET", "scvcb", key, dtype.c_str(), shape.data(), shape.size(), "BLOB",
                      reinterpret_cast<const char*>(tensor.data().data()), tensor.byte_size());
}

void DigestTensor(RedisModuleDigest* digest, void* value) {
  const Tensor& tensor = **AsTensor(value);
  RedisModule_DigestAddLongLong(digest, static_cast<long long>(tensor.dtype()));
  for (int64_t dim : tensor.shape()) RedisModule_DigestAddLongLong(digest, dim);
  RedisModule_DigestAddStringBuffer(digest, reinterpret_cast<const char*>(tensor.data().data()), tensor.byte_size());
  RedisModule_DigestEndSequence(digest);
}

size_t TensorMemory(RedisModuleKeyOptCtx*, const void* value, size_t) {
  return sizeof(TensorValue) + (*static_cast<const TensorValue*>(value))->memory_bytes();
}

size_t TensorFreeEffort(RedisModuleKeyOptCtx*, const void* value) {
  return (*static_cast<const TensorValue*>(value))->byte_size() >= kLargeBytes ? kFreeInBackground : 1;
}

// Moves the elements of tensors that only the keyspace holds; what a run or a reply holds too is left for another time.
// Models and scripts stay: their blobs are larger than what an allocator moves, and always shared with their sessions.
int DefragTensor(RedisModuleDefragCtx* ctx, RedisModuleString*, void** value) {
  const TensorValue& tensor = *AsTensor(*value);
  if (tensor.use_count() != 1) return 0;
  // Behind what the last other holder has read: giving up a reference waits for that, as a fence would, which
  // ThreadSanitizer does not know.
  TensorValue(tensor).reset();
  const_cast<Tensor&>(*tensor).MoveBy(host::DefragMover(ctx));
  return 0;
}

// ---- models ----

void NoteKey(int db, const RedisModuleString* key) {
  if (key != nullptr) Ai().model_names().Note(db, host::View(key));
}

void* LoadModelValue(RedisModuleIO* io, int version) {
  host::ServerRdbReader reader(io);
  auto source = LoadModelSource(reader, version, Ai().memory());
  if (!source.ok()) {
    LogFailedLoad(io, "a model", source.status());
    return nullptr;
  }
  NoteKey(RedisModule_GetDbIdFromIO(io), RedisModule_GetKeyNameFromIO(io));
  // A session that cannot be built does not fail the load: the key stays and its execution gives the reason.
  return new ModelValue(MakeModel(std::move(*source), Ai().loader()));
}

void SaveModelValue(RedisModuleIO* io, void* value) {
  host::RdbWriter writer(io);
  SaveModel(writer, *AsModel(value)->source);
}

void AddNames(StringList& words, const char* keyword, const std::vector<std::string>& names) {
  if (names.empty()) return;
  words.Add(keyword);
  words.Add(std::to_string(names.size()));
  for (const std::string& name : names) words.Add(name);
}

void RewriteModel(RedisModuleIO* aof, RedisModuleString* key, void* value) {
  const ModelSource& source = *AsModel(value)->source;
  StringList words;
  words.Add("TAG");
  words.Add(source.tag);
  words.Add("BATCHSIZE");
  words.Add(std::to_string(source.batching.size));
  words.Add("MINBATCHSIZE");
  words.Add(std::to_string(source.batching.min_size));
  words.Add("MINBATCHTIMEOUT");
  words.Add(std::to_string(source.batching.min_timeout_ms));
  AddNames(words, "INPUTS", source.inputs);
  AddNames(words, "OUTPUTS", source.outputs);
  words.Add("BLOB");
  const std::span<const std::byte> blob = source.blob.span();
  const size_t chunk = static_cast<size_t>(Ai().settings().model_chunk_size);
  for (size_t at = 0; at < blob.size(); at += chunk) {
    const std::span<const std::byte> piece = blob.subspan(at, std::min(chunk, blob.size() - at));
    words.Add({reinterpret_cast<const char*>(piece.data()), piece.size()});
  }
  RedisModule_EmitAOF(aof, "AI.MODELSTORE", "sccv", key, source.backend.c_str(), source.device.c_str(), words.data(),
                      words.size());
}

void DigestModel(RedisModuleDigest* digest, void* value) {
  const ModelSource& source = *AsModel(value)->source;
  for (const std::string* text : {&source.backend, &source.device, &source.tag}) {
    RedisModule_DigestAddStringBuffer(digest, text->data(), text->size());
  }
  RedisModule_DigestAddLongLong(digest, source.batching.size);
  RedisModule_DigestAddLongLong(digest, source.batching.min_size);
  RedisModule_DigestAddLongLong(digest, source.batching.min_timeout_ms);
  RedisModule_DigestAddStringBuffer(digest, reinterpret_cast<const char*>(source.blob.data()), source.blob.size());
  RedisModule_DigestEndSequence(digest);
}

void* CopyModel(RedisModuleKeyOptCtx* ctx, const void* value) {
  const auto* from = static_cast<const ModelValue*>(value);
  NoteKey(RedisModule_GetToDbIdFromOptCtx(ctx), RedisModule_GetToKeyNameFromOptCtx(ctx));
  return new ModelValue{from->source, from->slot, std::make_shared<RunStats>()};
}

void UnlinkModel(RedisModuleKeyOptCtx* ctx, const void*) {
  const RedisModuleString* key = RedisModule_GetKeyNameFromOptCtx(ctx);
  if (key != nullptr) Ai().model_names().Forget(RedisModule_GetDbIdFromOptCtx(ctx), host::View(key));
}

RedisModuleTypeMethods TensorMethods() {
  RedisModuleTypeMethods methods{};
  methods.version = REDISMODULE_TYPE_METHOD_VERSION;
  methods.rdb_load = &LoadTensorValue;
  methods.rdb_save = &SaveTensorValue;
  methods.aof_rewrite = &RewriteTensor;
  methods.digest = &DigestTensor;
  methods.free = [](void* value) { delete AsTensor(value); };
  methods.copy2 = [](RedisModuleKeyOptCtx*, const void* value) -> void* {
    return new TensorValue(*static_cast<const TensorValue*>(value));  // tensors never change: shared
  };
  methods.mem_usage2 = &TensorMemory;
  methods.free_effort2 = &TensorFreeEffort;
  methods.defrag = &DefragTensor;
  return methods;
}

RedisModuleTypeMethods ModelMethods() {
  RedisModuleTypeMethods methods{};
  methods.version = REDISMODULE_TYPE_METHOD_VERSION;
  methods.rdb_load = &LoadModelValue;
  methods.rdb_save = &SaveModelValue;
  methods.aof_rewrite = &RewriteModel;
  methods.digest = &DigestModel;
  methods.free = [](void* value) { delete AsModel(value); };
  methods.copy2 = &CopyModel;
  methods.unlink2 = &UnlinkModel;
  methods.mem_usage2 = [](RedisModuleKeyOptCtx*, const void* value, size_t) {
    return static_cast<const ModelValue*>(value)->memory_bytes();
  };
  methods.free_effort2 = [](RedisModuleKeyOptCtx*, const void* value) {
    return static_cast<const ModelValue*>(value)->source->blob.size() >= kLargeBytes ? kFreeInBackground : size_t{1};
  };
  return methods;
}

}  // namespace

base::Status RegisterDataTypes(host::Context& ctx) {
  RedisModuleTypeMethods tensor = TensorMethods();
  g_tensor_type = RedisModule_CreateDataType(ctx.raw(), "AI_TENSOR", kTensorEncodingVersion, &tensor);
  RedisModuleTypeMethods model = ModelMethods();
  g_model_type = RedisModule_CreateDataType(ctx.raw(), "AI__MODEL", kModelEncodingVersion, &model);
  if (g_tensor_type == nullptr || g_model_type == nullptr) {
    return base::AlreadyExists("the data types AI_TENSOR and AI__MODEL cannot be registered: another module has them");
  }
  return base::OkStatus();
}

base::Result<std::shared_ptr<const Tensor>> ReadTensor(host::Context& ctx, RedisModuleString* name) {
  const host::Key key = host::Key::ForRead(ctx, name);
  if (key.empty()) return base::NotFound(kNoTensor);
  const TensorValue* value = key.Get<TensorValue>(g_tensor_type);
  if (value == nullptr) return base::InvalidArgument(host::kWrongType);
  return *value;
}

base::Result<const ModelValue*> ReadModel(host::Context& ctx, RedisModuleString* name) {
  const host::Key key = host::Key::ForRead(ctx, name);
  if (key.empty()) return base::NotFound(kNoModel);
  const ModelValue* model = ModelAt(key);
  if (model == nullptr) return base::InvalidArgument(host::kWrongType);
  return model;
}

const ModelValue* ModelAt(const host::Key& key) { return key.Get<ModelValue>(g_model_type); }

bool HoldsTensor(const host::Key& key) { return key.Holds(g_tensor_type); }
bool HoldsModel(const host::Key& key) { return key.Holds(g_model_type); }

void SetTensor(host::Key& key, std::shared_ptr<const Tensor> tensor) {
  key.Set(g_tensor_type, new TensorValue(std::move(tensor)));
}

void SetModel(host::Key& key, ModelValue model) { key.Set(g_model_type, new ModelValue(std::move(model))); }

}  // namespace redoubt::ai
