#include "module/ft/shard_request.h"

#include <fmt/core.h>

#include "base/clock.h"
#include "module/cluster/wire.h"
#include "module/ft/reply_tape.h"

namespace redoubt::ft {

search::SearchDefaults ShardRequest::SearchDefaults() const {
  search::SearchDefaults defaults;
  defaults.timeout_ms = timeout_ms;
  defaults.dialect = dialect;
  defaults.parts = parts;
  defaults.max_results = most;
  return defaults;
}

search::AggregateDefaults ShardRequest::AggregateDefaults() const {
  search::AggregateDefaults defaults;
  defaults.timeout_ms = timeout_ms;
  defaults.dialect = dialect;
  defaults.parts = parts;
  defaults.max_rows = most;
  return defaults;
}

std::string ShardRequest::Encode() const {
  cluster::WireWriter out;
  out.Text(index);
  out.Text(user);
  out.Number(static_cast<uint64_t>(timeout_ms));
  out.Number(static_cast<uint64_t>(dialect));
  out.Number(most);
  out.Number(parts.least_letters);
  out.Number(parts.most_expansions);
  out.Byte(static_cast<uint8_t>((profile.wanted ? 1 : 0) | (profile.limited ? 2 : 0) | (profile.resp3 ? 4 : 0)));
  out.Number(words.size());
  for (std::string_view word : words) out.Text(word);
  return out.Take();
}

base::Result<ShardRequest> ShardRequest::Decode(std::string_view bytes) {
  cluster::WireReader in(bytes);
  ShardRequest request;
  ASSIGN_OR_RETURN(request.index, in.Text());
  ASSIGN_OR_RETURN(request.user, in.Text());
  ASSIGN_OR_RETURN(uint64_t timeout_ms, in.Number());
  ASSIGN_OR_RETURN(uint64_t dialect, in.Number());
  ASSIGN_OR_RETURN(request.most, in.Number());
  ASSIGN_OR_RETURN(request.parts.least_letters, in.Number());
  ASSIGN_OR_RETURN(request.parts.most_expansions, in.Number());
  ASSIGN_OR_RETURN(uint8_t profile, in.Byte());
  request.timeout_ms = static_cast<int64_t>(timeout_ms);
  request.dialect = static_cast<int>(dialect);
  request.profile = {(profile & 1) != 0, (profile & 2) != 0, (profile & 4) != 0};
  ASSIGN_OR_RETURN(size_t count, in.Count(sizeof(uint64_t)));
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view word, in.Text());
    request.words.push_back(word);
  }
  return request;
}

std::string JoinAnswer(std::string_view tape, std::string_view found) {
  cluster::WireWriter out;
  out.Text(tape);
  out.Raw(found);
  return out.Take();
}

base::Result<ShardAnswer> SplitAnswer(std::string_view bytes) {
  cluster::WireReader in(bytes);
  ShardAnswer answer;
  ASSIGN_OR_RETURN(answer.tape, in.Text());
  if (!answer.tape.empty()) RETURN_IF_ERROR(ReplyTape::Check(answer.tape));
  answer.found = in.rest();
  return answer;
}

void ReplyShardProfiles(host::Context& ctx, const std::vector<ShardTape>& tapes, int64_t begin_us) {
  if (ctx.Resp3()) ctx.ReplyStatus("Profile");
  ctx.ReplyMap(2);
  ctx.ReplyStatus("Shards");
  ctx.ReplyArray(tapes.size());
  for (const ShardTape& shard : tapes) {
    ctx.ReplyMap(2);
    ctx.ReplyStatus("Shard");
    ctx.ReplyBulk(shard.address);
    ctx.ReplyStatus("Profile");
    shard.tape.empty() ? ctx.ReplyBulk("did not answer in time") : ReplyTape::Play(shard.tape, ctx);
  }
  ctx.ReplyStatus("Coordinator");
  ctx.ReplyMap(1);
  ctx.ReplyStatus("Total time");
  const double millis = static_cast<double>(base::SystemClock().SteadyMicros() - begin_us) / 1000;
  ctx.Resp3() ? ctx.ReplyDouble(millis) : ctx.ReplyBulk(fmt::format("{:g}", millis));
}

}  // namespace redoubt::ft
