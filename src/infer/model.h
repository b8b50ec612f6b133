#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "infer/backend_api.h"
#include "infer/backend_registry.h"
#include "tensor/tensor.h"

namespace redoubt::infer {

// How runs of one model may be joined; all 0: never.
struct Batching {
  int64_t size = 0;            // join runs up to so many rows (dimension 0)
  int64_t min_size = 0;        // wait until there are so many rows ...
  int64_t min_timeout_ms = 0;  // ... but no longer than this; 0: as long as it takes
};

// What a model is made from.
struct ModelSpec {
  std::string backend;              // "ONNX"
  std::string device = "CPU";       // upper case, see NormalizeDevice
  std::string tag;                  // the user's own word
  std::span<const std::byte> blob;  // borrowed: read by Model::Build and not kept after it
  // Keeps `blob` alive where the build happens later, on another thread (ModelLoader). Null is fine for Model::Build.
  std::shared_ptr<const void> blob_owner;
  Batching batching;
  std::vector<std::string> inputs, outputs;  // for backends whose models do not name their own (TF)
};

// One input or output as the model declares it.
struct ModelIo {
  std::string name;
  std::optional<tensor::DType> dtype;         // none: a sequence or map
  std::optional<std::vector<int64_t>> shape;  // -1: any size; none: any shape
  std::string type_text;                      // for people: "tensor(float)", "seq(map(int64,tensor(float)))"
};

// One execution that another thread may stop.
class RunHandle {
 public:
  static base::Result<std::shared_ptr<RunHandle>> Create(const Backend& backend);
  RunHandle(const Backend& backend, redoubt_run* run) : backend_(backend), run_(run) {}
  ~RunHandle() { backend_.table().run_free(run_); }
  RunHandle(const RunHandle&) = delete;
  RunHandle& operator=(const RunHandle&) = delete;

  // Asks the run to end soon with Cancelled; does nothing where the backend cannot.
  void Cancel();
  // Before the run, for backends that Cancel() cannot reach: the longest time it may take. Does nothing on others.
  void Limit(int64_t limit_ms);
  // Whether one of the two does something.
  bool can_stop() const { return backend_.table().run_cancel != nullptr || backend_.table().run_limit != nullptr; }
  redoubt_run* raw() const { return run_; }

 private:
  const Backend& backend_;
  redoubt_run* run_;
};

struct RunOptions {
  RunHandle* handle = nullptr;  // of the same backend; null: the run cannot be stopped
};

// A loaded model. Run() may be called on many threads at once; it blocks its caller.
class Model {
 public:
  // Loads the backend when it is the first of its kind. Errors carry the vendor's text.
  static base::Result<std::shared_ptr<Model>> Build(BackendRegistry& registry, const ModelSpec& spec);
  Model(const Backend& backend, redoubt_model* model, const ModelSpec& spec, base::MemoryResource& memory);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<ModelIo>& inputs() const { return inputs_; }
  const std::vector<ModelIo>& outputs() const { return outputs_; }
  const Backend& backend() const { return backend_; }
  const Batching& batching() const { return batching_; }
  // What the session holds beyond the blob.
  size_t memory_bytes() const;

  // Only a run tells how many outputs there are (a list, a dict); outputs() is empty.
  bool counts_outputs_by_run() const { return counts_outputs_by_run_; }

  // The version of the operators it is written in; 0 where it says none.
  int64_t opset() const { return opset_; }

  // As many tensors as outputs(), but for counts_outputs_by_run(). InvalidArgument when the inputs do not fit,
  // Cancelled when stopped by the handle.
  base::Result<std::vector<tensor::Tensor::Ptr>> Run(std::span<const tensor::Tensor::Ptr> inputs,
                                                     const RunOptions& options = {}) const;

 private:
  const Backend& backend_;
  redoubt_model* model_;
  Batching batching_;
  base::MemoryResource& memory_;
  std::vector<ModelIo> inputs_;
  std::vector<ModelIo> outputs_;
  bool counts_outputs_by_run_ = false;
  int64_t opset_ = 0;
};

}  // namespace redoubt::infer
