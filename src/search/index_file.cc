// What an Index has in a file: docs/design/ft-index.md.
#include "base/check.h"
#include "search/graph_field.h"
#include "search/index.h"
#include "search/vector_owners.h"

namespace redoubt::search {

std::vector<size_t> Index::GraphFields() const {
  std::vector<size_t> graphs;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i]->graph() != nullptr) graphs.push_back(i);
  }
  return graphs;
}

void Index::SaveGraph(size_t field, base::SectionWriter& out) const {
  if (const VectorOwners* owners = fields_[field]->owners()) owners->Save(out);
  fields_[field]->graph()->index()->Save(out);
}

base::Status Index::LoadDocuments(base::SectionReader& in) try {
  CHECK(documents_.size() == 0);
  DocumentTable loaded(&std_memory_);
  RETURN_IF_ERROR(loaded.Load(in));
  RETURN_IF_ERROR(in.Finish());
  unconfirmed_ = loaded.All();
  documents_.Swap(loaded);
  return base::OkStatus();
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for it");
}

base::Status Index::LoadGraph(size_t field, base::SectionReader& in) try {
  if (field >= fields_.size()) return base::DataLoss("its index has no such field");
  return fields_[field]->LoadGraph(documents_.All(), in);
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for it");
}

size_t Index::DropUnconfirmed() {
  if (!unconfirmed_) return 0;
  const IdSet gone = *std::exchange(unconfirmed_, std::nullopt);
  gone.ForEach([this](Id id) {
    RemoveId(id);
    return true;
  });
  return gone.Count();
}

}  // namespace redoubt::search
