#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/tf/graph.h"

namespace redoubt::backends::tf {

// One input or output of a signature.
struct SignatureTensor {
  std::string_view key;     // what the signature calls it
  std::string_view tensor;  // "node:0"
  bool has_shape = false;
  std::vector<int64_t> shape;  // -1: any
};

// What we have to know of the graph tagged "serve" of a saved_model.pb. All views point into the bytes it was read
// from.
struct SavedModel {
  Graph graph;
  std::vector<SignatureTensor> inputs, outputs;  // of the signature "serving_default", or of the only one; by key
  // What the loader does: it runs `restore_op` with the place of the variables fed to `filename_tensor`, then each of
  // `init_ops`, both with the places of the assets fed to `asset_tensors`.
  std::string_view restore_op;
  std::string_view filename_tensor;
  std::vector<std::string_view> init_ops;
  std::set<std::string_view> asset_tensors;  // names of nodes
};

// Throws std::invalid_argument.
SavedModel ReadSavedModel(Bytes saved_model_pb);

// Refuses graphs that reach outside of the model, as CheckOps() does for frozen ones, but for what every SavedModel
// holds: variables may be restored and tables filled by the loader's own runs, from the files it names, and the ops
// that save may lie about as long as neither these runs nor `outputs` (names of nodes) come by them.
// Throws std::invalid_argument.
void CheckSavedModel(const SavedModel& model, const std::vector<std::string_view>& outputs);

}  // namespace redoubt::backends::tf
