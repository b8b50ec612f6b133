#include "search/vector_field.h"

#include <fmt/core.h>

#include <utility>

namespace redoubt::search {

using base::OkStatus;
using base::Result;
using base::Status;

Result<std::unique_ptr<VectorField>> VectorField::Create(const VectorOptions& options, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(auto index, vector::FlatIndex::Create({options.dim, options.metric, &memory, options.type}));
  return std::unique_ptr<VectorField>(new VectorField(options, std::move(index)));
}

Status VectorField::Check(std::string_view value) const {
  if (value.size() == options_.blob_bytes()) return OkStatus();
  return base::InvalidArgument(
      fmt::format("Could not add vector with blob size {} (expected size {})", value.size(), options_.blob_bytes()));
}

Status VectorField::Set(Id id, std::string_view value) { return index_->Add(id, value); }

}  // namespace redoubt::search
