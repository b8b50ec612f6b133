#include "module/ft/search_reply.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "module/ft/document_fields.h"
#include "module/host/key.h"

namespace redoubt::ft {
namespace {

using search::FoundDocument;
using search::SearchOutcome;
using search::SearchPlan;

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
      ctx_.ReplyDouble(document.score);  // as text in RESP2
      ++length;
    }
    if (plan_.with_payloads) {
      ReplyPayload(key, document);
      ++length;
    }
    if (plan_.with_sort_keys) {
      ReplySortKey(ctx_, document.sort_key);
      ++length;
    }
    if (!fields) return length;
    ctx_.ReplyArray(fields->texts().size());
    for (std::string_view text : fields->texts()) ctx_.ReplyBulk(text);
    return length + 1;
  }

  long Resp3Document(const host::String& key, const FoundDocument& document) {
    std::optional<DocumentFields> fields;
    if (!plan_.no_content) {
      fields = DocumentFields::Load(ctx_, key.raw(), plan_, document);
      if (!fields) return 0;
    }
    size_t parts = 2 + (fields ? 1 : 0) + (plan_.with_scores ? 1 : 0) + (plan_.with_payloads ? 1 : 0) +
                   (plan_.with_sort_keys ? 1 : 0);
    ctx_.ReplyMap(parts);
    ctx_.ReplyStatus("id");
    ctx_.ReplyBulk(key.view());
    if (plan_.with_scores) {
      ctx_.ReplyStatus("score");
      ctx_.ReplyDouble(document.score);
    }
    if (plan_.with_payloads) {
      ctx_.ReplyStatus("payload");
      ReplyPayload(key, document);
    }
    if (plan_.with_sort_keys) {
      ctx_.ReplyStatus("sortkey");
      ReplySortKey(ctx_, document.sort_key);
    }
    if (fields) {
      ctx_.ReplyStatus("extra_attributes");
      ctx_.ReplyMap(fields->texts().size() / 2);
      for (std::string_view text : fields->texts()) ctx_.ReplyBulk(text);
    }
    ctx_.ReplyStatus("values");
    ctx_.ReplyArray(0);
    return 1;
  }

  void ReplyPayload(const host::String& key, const FoundDocument& document) {
    const std::optional<std::string> payload = LoadPayload(ctx_, key.raw(), plan_, document);
    payload ? ctx_.ReplyBulk(*payload) : ctx_.ReplyNull();
  }

  host::Context& ctx_;
  const SearchPlan& plan_;
  const SearchOutcome& outcome_;
};

}  // namespace

void ReplySearch(host::Context& ctx, const host::Caller& caller, const SearchPlan& plan, const SearchOutcome& outcome) {
  std::vector<host::String> keys;
  const bool every = caller.MayReadEveryKey();  // else those of the index, when the search began
  for (const FoundDocument& document : outcome.documents) {
    keys.emplace_back(document.key);
    if (every || caller.MayUseKey(keys.back().raw(), REDISMODULE_CMD_KEY_ACCESS)) continue;
    ctx.ReplyError(
        fmt::format("NOPERM user {} may not read the key '{}', which the search found", caller.user(), document.key));
    return;
  }
  SearchReplyWriter writer(ctx, plan, outcome);
  ctx.Resp3() ? writer.Resp3(keys) : writer.Resp2(keys);
}

}  // namespace redoubt::ft
