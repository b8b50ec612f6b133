#include "module/ai/script_host.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/host/blocked_client.h"
#include "module/host/call.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

// The tree of a reply, as RESP2 has it.
infer::CommandReply ToReply(RedisModuleCallReply* from) {
  infer::CommandReply reply;
  switch (RedisModule_CallReplyType(from)) {
    case REDISMODULE_REPLY_STRING:
    case REDISMODULE_REPLY_ERROR: {  // an error inside of a list, as EXEC has
      size_t length = 0;
      const char* text = RedisModule_CallReplyStringPtr(from, &length);
      reply.kind = REDOUBT_REPLY_TEXT;
      reply.text.assign(text, length);
      break;
    }
    case REDISMODULE_REPLY_INTEGER:
      reply.kind = REDOUBT_REPLY_INTEGER;
      reply.integer = RedisModule_CallReplyInteger(from);
      break;
    case REDISMODULE_REPLY_ARRAY:
      reply.kind = REDOUBT_REPLY_LIST;
      for (size_t i = 0; i < RedisModule_CallReplyLength(from); ++i) {
        reply.elements.push_back(ToReply(RedisModule_CallReplyArrayElement(from, i)));
      }
      break;
    default:
      break;  // null
  }
  return reply;
}

base::Status Refused(const base::Status& why) {
  return base::Status(why.code(), "Redis command returned an error: " + why.message());
}

}  // namespace

base::Result<infer::CommandReply> ServerScriptHost::Execute(std::span<const std::string_view> words) {
  std::optional<base::Result<infer::CommandReply>> answer;
  RETURN_IF_ERROR(main_thread_->Run([&] {
    host::Context effects = host::EffectsContext::InDatabase(db_);
    base::Result<host::CallReply> reply = host::CallFor(caller_, effects, words, read_only_);
    if (reply.ok()) {
      answer.emplace(ToReply(reply->raw()));
    } else {
      answer.emplace(Refused(reply.status()));
    }
  }));
  return std::move(*answer);
}

base::Result<std::shared_ptr<infer::ModelSlot>> ServerScriptHost::FindModel(std::string_view key_name) {
  using Slot = std::shared_ptr<infer::ModelSlot>;
  std::optional<base::Result<Slot>> found;
  RETURN_IF_ERROR(main_thread_->Run([&] {
    host::Context effects = host::EffectsContext::InDatabase(db_);
    const std::string_view words[] = {"AI.MODELEXECUTE", key_name};
    if (const base::Status allowed = host::CheckCommand(caller_, effects, words); !allowed.ok()) {
      found.emplace(Refused(allowed));
      return;
    }
    const host::String name(key_name);
    const base::Result<const ModelValue*> model = ReadModel(effects, name.raw());
    found.emplace(model.ok() ? base::Result<Slot>((*model)->slot) : base::Result<Slot>(model.status()));
  }));
  return std::move(*found);
}

base::Result<std::shared_ptr<infer::Model>> ServerScriptHost::WaitFor(infer::ModelSlot& slot) {
  slot.WhenBuilt([self = shared_from_this()] {
    std::lock_guard lock(self->mu_);
    self->changed_.notify_all();
  });
  std::unique_lock lock(mu_);
  changed_.wait(lock, [&] { return cancelled_ || slot.built(); });
  return slot.Get();
}

base::Result<infer::Tensors> ServerScriptHost::RunModel(std::string_view key, const infer::Tensors& inputs) {
  ASSIGN_OR_RETURN(const std::shared_ptr<infer::ModelSlot> slot, FindModel(key));
  ASSIGN_OR_RETURN(const std::shared_ptr<infer::Model> model, WaitFor(*slot));
  ASSIGN_OR_RETURN(const std::shared_ptr<infer::RunHandle> handle, infer::RunHandle::Create(model->backend()));
  {
    std::lock_guard lock(mu_);
    if (cancelled_) return base::Cancelled("nobody waits for this run any more");
    running_ = handle;
  }
  if (until_us_ != 0) handle->Limit(std::max<int64_t>((until_us_ - infer::SteadyNowUs()) / 1000, 1));
  base::Result<infer::Tensors> outputs = model->Run(inputs, {handle.get()});
  std::lock_guard lock(mu_);
  running_ = nullptr;
  return outputs;
}

void ServerScriptHost::Limit(int64_t limit_ms) {
  until_us_ = limit_ms == 0 ? 0 : infer::SteadyNowUs() + limit_ms * 1000;
}

void ServerScriptHost::Cancel() {
  main_thread_->Cancel();
  std::lock_guard lock(mu_);
  cancelled_ = true;
  if (running_ != nullptr) running_->Cancel();
  changed_.notify_all();
}

}  // namespace redoubt::ai
