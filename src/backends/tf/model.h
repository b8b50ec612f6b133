#pragma once

#include <tensorflow/c/c_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/tf/graph.h"
#include "backends/tf/runtime.h"
#include "backends/tf/saved_model.h"
#include "infer/backend_api.h"

namespace redoubt::backends::tf {

// A loaded graph and its session. Run() may be called on many threads at once.
class Model {
 public:
  // Reads `source.blob` and does not keep it. Returns a code; throws TfError and std::invalid_argument.
  static int32_t Load(const redoubt_model_source& source, Runtime& runtime, std::unique_ptr<Model>* model,
                      redoubt_error* error);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<redoubt_io>& inputs() const { return inputs_.rows; }
  const std::vector<redoubt_io>& outputs() const { return outputs_.rows; }
  // An estimate: TensorFlow has no account of its own.
  uint64_t memory() const { return memory_; }

  // Stopped after `limit_ms`, 0 for never. Throws TfError and std::invalid_argument.
  void Run(int64_t limit_ms, const redoubt_view* inputs, redoubt_output* outputs);

 private:
  // A tensor and the caller's word for it.
  struct Wanted {
    std::string name;
    std::string tensor;
    const SignatureTensor* signature = nullptr;
  };
  // What to feed or fetch: the caller's `names`, tensors or keys of the signature; without any, all of the signature.
  static std::vector<Wanted> Choose(const char* const* names, uint64_t count,
                                    const std::vector<SignatureTensor>& signature);

  // The tensors that are fed or fetched, with stable addresses behind the C rows.
  struct IoTable {
    std::vector<TF_Output> tensors;
    std::vector<std::string> names;
    std::vector<std::string> type_texts;
    std::vector<std::vector<int64_t>> shapes;
    std::vector<redoubt_io> rows;

    void Add(TF_Graph* graph, const Wanted& wanted, TF_Output tensor);
    void Finish();
  };

  explicit Model(Runtime& runtime) : runtime_(runtime), graph_(TF_NewGraph(), &TF_DeleteGraph) {}
  void LoadFrozen(const redoubt_model_source& source);
  void LoadSaved(const redoubt_model_source& source);
  void AddInputsAndOutputs(const std::vector<Wanted>& inputs, const std::vector<Wanted>& outputs);
  void CheckInput(size_t index, const redoubt_view& view) const;
  void Finish(const Graph& graph, const std::vector<std::string_view>& outputs, uint64_t memory);
  static std::vector<std::string_view> NodesOf(const std::vector<Wanted>& wanted);

  Runtime& runtime_;
  std::unique_ptr<TF_Graph, decltype(&TF_DeleteGraph)> graph_;
  TF_Session* session_ = nullptr;
  IoTable inputs_;
  IoTable outputs_;
  uint64_t memory_ = 0;
  bool copy_inputs_ = true;  // an op on the way to the outputs may keep what it is given
};

}  // namespace redoubt::backends::tf
