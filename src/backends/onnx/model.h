#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/onnx/runtime.h"
#include "infer/backend_api.h"

namespace redoubt::backends::onnx {

// A loaded ONNX graph. Run() may be called on many threads at once.
class Model {
 public:
  // Reads `source.blob` and does not keep it. Returns a code; throws Ort::Exception.
  static int32_t Load(const redoubt_model_source& source, Runtime& runtime, std::unique_ptr<Model>* model,
                      redoubt_error* error);

  const std::vector<redoubt_io>& inputs() const { return inputs_.rows; }
  const std::vector<redoubt_io>& outputs() const { return outputs_.rows; }
  // What the session took from the host, and the weights, which ONNX Runtime keeps elsewhere.
  uint64_t memory() const { return session_bytes_ + weight_bytes_; }
  // The version of ai.onnx that it is written in; 0 where it says none.
  int64_t opset() const { return opset_; }
  ~Model() { runtime_.CountWeights(-static_cast<int64_t>(weight_bytes_)); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Throws Ort::Exception and std::invalid_argument.
  void Run(const Ort::RunOptions& options, const redoubt_view* inputs, redoubt_output* outputs);

 private:
  // Names, shapes and types with stable addresses behind the C rows.
  struct IoTable {
    std::vector<std::string> names;
    std::vector<std::string> type_texts;
    std::vector<std::vector<int64_t>> shapes;
    std::vector<const char*> name_pointers;
    std::vector<redoubt_io> rows;

    void Add(std::string name, const Ort::TypeInfo& info);
    void Finish();
  };

  Model(Runtime& runtime, Ort::Session session, uint64_t weight_bytes);

  Runtime& runtime_;
  Ort::Session session_;
  IoTable inputs_;
  IoTable outputs_;
  uint64_t weight_bytes_;
  uint64_t session_bytes_ = 0;
  int64_t opset_ = 0;
};

}  // namespace redoubt::backends::onnx
