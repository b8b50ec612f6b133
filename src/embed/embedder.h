#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::infer {
class BackendRegistry;
}

namespace redoubt::embed {

struct EmbedderOptions {
  std::string model_dir;  // model.onnx, rows.bin, tokenizer.model, MODEL.json: made by tools/setup
  size_t max_tokens = 0;  // 0: what the model's description says
};

// Turns a text into a vector whose direction is its meaning: texts that say the same, in Korean or in English, point
// the same way. The network runs through infer's ONNX backend; the token vectors stay on disk (row_table.h).
// All calls but Load() are safe on many threads at once.
class Embedder {
 public:
  // Reads the model and warms it up with one run, so that the first text is not slower than the others. `backends`,
  // which outlives the embedder, loads ONNX and says how many threads one run may use (1 is best for short texts).
  static base::Result<std::unique_ptr<Embedder>> Load(infer::BackendRegistry& backends, const EmbedderOptions& options);
  ~Embedder();

  // dim() floats of length 1. Reads at most kMaxBytes bytes and max_tokens() tokens from the start of `text`; the rest
  // does not count. Time grows with the tokens, about 0.06 ms each. InvalidArgument for a text without tokens.
  base::Result<std::vector<float>> Embed(std::string_view text) const;

  // One vector per text, in order; fails as a whole when one of them fails.
  base::Result<std::vector<std::vector<float>>> EmbedBatch(std::span<const std::string> texts) const;

  size_t dim() const;
  size_t max_tokens() const;
  // Changes whenever vectors of before and after cannot be compared: part of every cache key.
  const std::string& model_id() const;

  static constexpr size_t kMaxBytes = 8192;

 private:
  struct Parts;
  explicit Embedder(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// The cosine of two vectors of length 1.
float Cosine(std::span<const float> a, std::span<const float> b);

}  // namespace redoubt::embed
