#include "module/ft/search_reply.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "module/ft/document_reader.h"
#include "module/host/key.h"

namespace redoubt::ft {
namespace {

using search::FoundDocument;
using search::SearchOutcome;
using search::SearchPlan;

std::string NumberText(double value) { return fmt::format("{:.12g}", value); }

struct CallReplyDeleter {
  void operator()(RedisModuleCallReply* reply) const { RedisModule_FreeCallReply(reply); }
};
using CallReply = std::unique_ptr<RedisModuleCallReply, CallReplyDeleter>;

struct StringDeleter {
  void operator()(RedisModuleString* string) const { RedisModule_FreeString(nullptr, string); }
};
using OwnedString = std::unique_ptr<RedisModuleString, StringDeleter>;

// Pairs of name and value as they stand in a reply. Owns what the server handed out for it.
class DocumentFields {
 public:
  // Nothing when the hash is gone.
  static std::optional<DocumentFields> Load(host::Context& ctx, RedisModuleString* key, const SearchPlan& plan,
                                            const FoundDocument& document) {
    DocumentFields fields;
    bool there = plan.returns ? fields.LoadSome(ctx, key, plan, document) : fields.LoadAll(ctx, key, plan, document);
    if (!there) return std::nullopt;
    return fields;
  }
  size_t pairs() const { return texts_.size() / 2; }
  void Reply(host::Context& ctx) const {
    for (std::string_view text : texts_) ctx.ReplyBulk(text);
  }

 private:
  DocumentFields() = default;

  void Add(std::string_view name, std::string_view value) { texts_.insert(texts_.end(), {name, value}); }

  void AddDistance(std::string_view name, double distance) {
    distance_ = std::make_unique<std::string>(NumberText(distance));
    Add(name, *distance_);
  }

  bool LoadSome(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan, const FoundDocument& document) {
    host::Key key = host::Key::ForRead(ctx, name);
    if (key.type() != REDISMODULE_KEYTYPE_HASH) return false;
    for (const search::ReturnField& field : *plan.returns) {
      if (plan.query.knn && field.path == plan.query.knn->distance_name) {
        AddDistance(field.name, document.distance);
        continue;
      }
      RedisModuleString* value = nullptr;
      RedisModule_HashGet(key.raw(), REDISMODULE_HASH_CFIELDS, field.path.c_str(), &value, nullptr);
      if (value == nullptr) continue;
      strings_.emplace_back(value);
      Add(field.name, View(value));
    }
    return true;
  }

  bool LoadAll(host::Context& ctx, RedisModuleString* name, const SearchPlan& plan, const FoundDocument& document) {
    if (plan.query.knn) AddDistance(plan.query.knn->distance_name, document.distance);
    hash_.reset(RedisModule_Call(ctx.raw(), "HGETALL", "s", name));
    if (hash_ == nullptr || RedisModule_CallReplyType(hash_.get()) != REDISMODULE_REPLY_ARRAY) return false;
    size_t count = RedisModule_CallReplyLength(hash_.get());
    for (size_t i = 0; i < count; ++i) {
      size_t size = 0;
      const char* text = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(hash_.get(), i), &size);
      texts_.emplace_back(text, size);
    }
    return count > 0;
  }

  std::vector<std::string_view> texts_;
  std::vector<OwnedString> strings_;
  CallReply hash_;
  std::unique_ptr<std::string> distance_;  // its address stays when this moves
};

void ReplySortKey(host::Context& ctx, const search::SortKey& key) {
  if (const auto* number = std::get_if<double>(&key)) {
    ctx.ReplyBulk(fmt::format("#{:.12g}", *number));
  } else if (const auto* text = std::get_if<std::string>(&key)) {
    ctx.ReplyBulk(fmt::format("${}", *text));
  } else {
    ctx.ReplyNull();
  }
}

class SearchReplyWriter {
 public:
  SearchReplyWriter(host::Context& ctx, const SearchPlan& plan, const SearchOutcome& outcome)
      : ctx_(ctx), plan_(plan), outcome_(outcome) {}

  void Resp2(const std::vector<host::String>& keys) {
    RedisModule_ReplyWithArray(ctx_.raw(), REDISMODULE_POSTPONED_LEN);
    ctx_.ReplyInteger(static_cast<int64_t>(outcome_.total));
    long length = 1;
    for (size_t i = 0; i < keys.size(); ++i) length += Resp2Document(keys[i], outcome_.documents[i]);
    RedisModule_ReplySetArrayLength(ctx_.raw(), length);
  }

  void Resp3(const std::vector<host::String>& keys) {
    ctx_.ReplyMap(5);
    ctx_.ReplyStatus("attributes");
    ctx_.ReplyArray(0);
    ctx_.ReplyStatus("total_results");
    ctx_.ReplyInteger(static_cast<int64_t>(outcome_.total));
    ctx_.ReplyStatus("format");
    ctx_.ReplyStatus("STRING");
    ctx_.ReplyStatus("results");
    RedisModule_ReplyWithArray(ctx_.raw(), REDISMODULE_POSTPONED_LEN);
    long length = 0;
    for (size_t i = 0; i < keys.size(); ++i) length += Resp3Document(keys[i], outcome_.documents[i]);
    RedisModule_ReplySetArrayLength(ctx_.raw(), length);
    ctx_.ReplyStatus("warning");
    ctx_.ReplyArray(outcome_.timed_out ? 1 : 0);
    if (outcome_.timed_out) ctx_.ReplyBulk("Timeout limit was reached");
  }

 private:
  // How many elements of the reply it took; 0 when the document is gone.
  long Resp2Document(const host::String& key, const FoundDocument& document) {
    std::optional<DocumentFields> fields;
    if (!plan_.no_content) {
      fields = DocumentFields::Load(ctx_, key.raw(), plan_, document);
      if (!fields) return 0;
    }
    long length = 1;
    ctx_.ReplyBulk(key.view());
    if (plan_.with_scores) {
      ctx_.ReplyBulk("0");
      ++length;
    }
    if (plan_.with_sort_keys) {
      ReplySortKey(ctx_, document.sort_key);
      ++length;
    }
    if (!fields) return length;
    ctx_.ReplyArray(fields->pairs() * 2);
    fields->Reply(ctx_);
    return length + 1;
  }

  long Resp3Document(const host::String& key, const FoundDocument& document) {
    std::optional<DocumentFields> fields;
    if (!plan_.no_content) {
      fields = DocumentFields::Load(ctx_, key.raw(), plan_, document);
      if (!fields) return 0;
    }
    size_t parts = 2 + (fields ? 1 : 0) + (plan_.with_scores ? 1 : 0) + (plan_.with_sort_keys ? 1 : 0);
    ctx_.ReplyMap(parts);
    ctx_.ReplyStatus("id");
    ctx_.ReplyBulk(key.view());
    if (plan_.with_scores) {
      ctx_.ReplyStatus("score");
      ctx_.ReplyDouble(0);
    }
    if (plan_.with_sort_keys) {
      ctx_.ReplyStatus("sortkey");
      ReplySortKey(ctx_, document.sort_key);
    }
    if (fields) {
      ctx_.ReplyStatus("extra_attributes");
      ctx_.ReplyMap(fields->pairs());
      fields->Reply(ctx_);
    }
    ctx_.ReplyStatus("values");
    ctx_.ReplyArray(0);
    return 1;
  }

  host::Context& ctx_;
  const SearchPlan& plan_;
  const SearchOutcome& outcome_;
};

}  // namespace

void ReplySearch(host::Context& ctx, const host::Caller& caller, const SearchPlan& plan, const SearchOutcome& outcome) {
  std::vector<host::String> keys;
  for (const FoundDocument& document : outcome.documents) {
    keys.emplace_back(document.key);
    // No user: a script's or module's call of its own.
    if (caller.user().empty() || caller.MayUseKey(keys.back().raw(), REDISMODULE_CMD_KEY_ACCESS)) continue;
    ctx.ReplyError(
        fmt::format("NOPERM user {} may not read the key '{}', which the search found", caller.user(), document.key));
    return;
  }
  SearchReplyWriter writer(ctx, plan, outcome);
  ctx.Resp3() ? writer.Resp3(keys) : writer.Resp2(keys);
}

}  // namespace redoubt::ft
