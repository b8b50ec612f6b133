#include "embed/embedder.h"

#include <malloc.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "base/memory.h"
#include "embed/row_table.h"
#include "infer/backend_registry.h"
#include "infer/model.h"
#include "tensor/tensor.h"
#include "text/utf8.h"

namespace redoubt::embed {
namespace {

// What MODEL.json says; written by tools/setup/make_embedding_model.py.
struct Description {
  std::string id;
  size_t dim = 0;
  size_t tokens = 0;
  size_t max_tokens = 0;
};

base::Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    return base::NotFound("cannot read " + path.string() + ": run tools/setup/fetch, which makes the embedding model");
  }
  return std::move(content).str();
}

base::Result<Description> ReadDescription(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  ASSIGN_OR_RETURN(const base::Json json, base::ParseJson(text));
  try {
    Description description;
    // The weights name the model: a new download under an old version number must not meet old vectors in a cache.
    const auto& sums = json.at("sha256");
    description.id = json.at("name").get<std::string>() + "-" + json.at("version").get<std::string>() + "-" +
                     sums.at("model.onnx").get<std::string>().substr(0, 8) +
                     sums.at("rows.bin").get<std::string>().substr(0, 8) +
                     sums.at("tokenizer.model").get<std::string>().substr(0, 8);
    description.dim = json.at("dim").get<size_t>();
    description.tokens = json.at("tokens").get<size_t>();
    description.max_tokens = json.at("max_tokens").get<size_t>();
    if (description.dim == 0 || description.dim > RowTable::kMaxDim || description.tokens == 0 ||
        description.max_tokens < 3) {
      return base::DataLoss(path.string() + " describes no model: run tools/setup/fetch again");
    }
    return description;
  } catch (const base::Json::exception& error) {
    return base::DataLoss(path.string() + ": " + error.what());
  }
}

}  // namespace

struct Embedder::Parts {
  Parts(Description d, RowTable r) : description(std::move(d)), rows(std::move(r)) {}

  Description description;
  RowTable rows;
  sentencepiece::SentencePieceProcessor tokenizer;
  std::shared_ptr<infer::Model> network;

  base::Status LoadTokenizer(const std::filesystem::path& path);
  base::Status LoadNetwork(infer::BackendRegistry& backends, const std::filesystem::path& path);
  std::vector<int> Tokens(std::string_view text) const;
  base::Result<std::shared_ptr<const tensor::Tensor>> RowsOf(const std::vector<int>& tokens) const;
};

base::Status Embedder::Parts::LoadTokenizer(const std::filesystem::path& path) {
  if (const auto status = tokenizer.Load(path.string()); !status.ok()) {
    return base::DataLoss("cannot load " + path.string() + ": " + status.ToString());
  }
  if (static_cast<size_t>(tokenizer.GetPieceSize()) != rows.rows()) {
    return base::DataLoss(path.string() + " has " + std::to_string(tokenizer.GetPieceSize()) + " tokens, rows.bin " +
                          std::to_string(rows.rows()) + ": run tools/setup/fetch again");
  }
  return base::OkStatus();
}

base::Status Embedder::Parts::LoadNetwork(infer::BackendRegistry& backends, const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string blob, ReadFile(path));
  infer::ModelSpec spec;
  spec.backend = "ONNX";
  spec.blob = std::as_bytes(std::span(blob));
  ASSIGN_OR_RETURN(network, infer::Model::Build(backends, spec));
  return base::OkStatus();
}

std::vector<int> Embedder::Parts::Tokens(std::string_view text) const {
  std::vector<int> pieces;
  const std::string_view bounded = text::TruncateUtf8(text, kMaxBytes);
  if (!tokenizer.Encode({bounded.data(), bounded.size()}, &pieces).ok() || pieces.empty()) return {};
  pieces.resize(std::min(pieces.size(), description.max_tokens - 2));
  pieces.insert(pieces.begin(), tokenizer.bos_id());
  pieces.push_back(tokenizer.eos_id());
  return pieces;
}

base::Result<std::shared_ptr<const tensor::Tensor>> Embedder::Parts::RowsOf(const std::vector<int>& tokens) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<tensor::Tensor> input,
                   tensor::Tensor::CreateUninitialized(
                       tensor::DType::kFloat32, {static_cast<int64_t>(tokens.size()), static_cast<int64_t>(rows.dim())},
                       base::DefaultMemory()));
  const std::span<float> values(reinterpret_cast<float*>(input->mutable_data()), input->element_count());
  for (size_t i = 0; i < tokens.size(); ++i) {
    RETURN_IF_ERROR(rows.Read(static_cast<size_t>(tokens[i]), values.subspan(i * rows.dim(), rows.dim())));
  }
  return std::shared_ptr<const tensor::Tensor>(input);
}

Embedder::Embedder(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Embedder::~Embedder() = default;

base::Result<std::unique_ptr<Embedder>> Embedder::Load(infer::BackendRegistry& backends,
                                                       const EmbedderOptions& options) {
  const std::filesystem::path dir = options.model_dir;
  ASSIGN_OR_RETURN(Description description, ReadDescription(dir / "MODEL.json"));
  if (options.max_tokens != 0) description.max_tokens = std::max<size_t>(options.max_tokens, 3);
  ASSIGN_OR_RETURN(RowTable rows, RowTable::Open((dir / "rows.bin").string(), description.tokens, description.dim));

  auto parts = std::make_unique<Parts>(std::move(description), std::move(rows));
  RETURN_IF_ERROR(parts->LoadTokenizer(dir / "tokenizer.model"));
  RETURN_IF_ERROR(parts->LoadNetwork(backends, dir / "model.onnx"));
  std::unique_ptr<Embedder> embedder(new Embedder(std::move(parts)));
  RETURN_IF_ERROR(embedder->Embed("warm up").status());
  // Loading leaves some 20 MB of freed blocks in the allocator; the process is to stay small.
  ::malloc_trim(0);
  return embedder;
}

base::Result<std::vector<float>> Embedder::Embed(std::string_view text) const {
  const std::vector<int> tokens = parts_->Tokens(text);
  if (tokens.empty()) return base::InvalidArgument("an empty text has no embedding");
  ASSIGN_OR_RETURN(const std::shared_ptr<const tensor::Tensor> input, parts_->RowsOf(tokens));
  ASSIGN_OR_RETURN(const auto outputs, parts_->network->Run({&input, 1}, {}));
  if (outputs.size() != 1 || outputs[0]->element_count() != dim()) {
    return base::DataLoss("the embedding model answers with another shape: run tools/setup/fetch again");
  }
  const std::span<const float> vector = outputs[0]->As<float>();
  return std::vector<float>(vector.begin(), vector.end());
}

base::Result<std::vector<std::vector<float>>> Embedder::EmbedBatch(std::span<const std::string> texts) const {
  std::vector<std::vector<float>> vectors;
  vectors.reserve(texts.size());
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(std::vector<float> vector, Embed(text));
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

size_t Embedder::dim() const { return parts_->description.dim; }
size_t Embedder::max_tokens() const { return parts_->description.max_tokens; }
const std::string& Embedder::model_id() const { return parts_->description.id; }

float Cosine(std::span<const float> a, std::span<const float> b) {
  CHECK(a.size() == b.size());
  float sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace redoubt::embed
