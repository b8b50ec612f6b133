#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/host/call.h"
#include "module/host/context.h"
#include "module/host/key.h"
#include "search/index.h"

namespace redoubt::ft {

// What WITHPAYLOADS shows, from the key unless another node has read it; nothing when it has none. Main thread only.
std::optional<std::string> LoadPayload(host::Context& ctx, RedisModuleString* key, const search::SearchPlan& plan,
                                       const search::FoundDocument& document);

// Pairs of name and value of a found document, as they stand in a reply. Owns what the server handed out for it.
// Main thread only.
class DocumentFields {
 public:
  // Reads what the plan shows from the key, unless another node has read it. Nothing when the key is gone.
  static std::optional<DocumentFields> Load(host::Context& ctx, RedisModuleString* key, const search::SearchPlan& plan,
                                            const search::FoundDocument& document);

  // Name, value, name, value ...
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  DocumentFields() = default;

  void Add(std::string_view name, std::string_view value) { texts_.insert(texts_.end(), {name, value}); }
  void AddDistance(std::string_view name, double distance);
  // Whether `field` is a distance of the query; it is added where the document has it.
  bool TakeDistance(const search::SearchPlan& plan, const search::FoundDocument& document,
                    const search::ReturnField& field);
  bool LoadSome(host::Context& ctx, RedisModuleString* name, const search::SearchPlan& plan,
                const search::FoundDocument& document);
  // The same for a JSON document.
  bool LoadJson(host::Context& ctx, RedisModuleString* name, const search::SearchPlan& plan,
                const search::FoundDocument& document);
  void AddDistances(const search::SearchPlan& plan, const search::FoundDocument& document);
  bool LoadAll(host::Context& ctx, RedisModuleString* name, const search::SearchPlan& plan,
               const search::FoundDocument& document);

  std::vector<std::string_view> texts_;
  std::vector<host::String> strings_;
  std::optional<host::CallReply> hash_;
  std::vector<std::unique_ptr<std::string>> made_;  // their addresses stay when this moves
};

}  // namespace redoubt::ft
