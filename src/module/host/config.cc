#include "module/host/config.h"

#include <fmt/core.h>

#include <utility>

#include "module/host/api.h"
#include "module/host/key.h"

namespace redoubt::host {

base::Status RegisterConfig(Context& ctx, NumberConfig config) {
  auto* kept = new NumberConfig(std::move(config));  // the server keeps the pointer for good
  *kept->value = kept->default_value;
  const int ok = RedisModule_RegisterNumericConfig(
      ctx.raw(), kept->name, kept->default_value,
      kept->only_at_start ? REDISMODULE_CONFIG_IMMUTABLE : REDISMODULE_CONFIG_DEFAULT, kept->min, kept->max,
      [](const char*, void* data) { return static_cast<long long>(*static_cast<NumberConfig*>(data)->value); },
      [](const char*, long long value, void* data, RedisModuleString**) {
        auto* row = static_cast<NumberConfig*>(data);
        *row->value = value;
        if (row->changed) row->changed(value);
        return REDISMODULE_OK;
      },
      nullptr, kept);
  if (ok != REDISMODULE_OK) return base::Internal(fmt::format("config {} cannot be registered", kept->name));
  return base::OkStatus();
}

base::Status RegisterConfig(Context& ctx, BoolConfig config) {
  auto* kept = new BoolConfig(config);
  *kept->value = kept->default_value;
  const int ok = RedisModule_RegisterBoolConfig(
      ctx.raw(), kept->name, kept->default_value ? 1 : 0, REDISMODULE_CONFIG_DEFAULT,
      [](const char*, void* data) { return *static_cast<BoolConfig*>(data)->value ? 1 : 0; },
      [](const char*, int value, void* data, RedisModuleString**) {
        auto* config = static_cast<BoolConfig*>(data);
        *config->value = value != 0;
        if (config->changed) config->changed(value != 0);
        return REDISMODULE_OK;
      },
      nullptr, kept);
  if (ok != REDISMODULE_OK) return base::Internal(fmt::format("config {} cannot be registered", kept->name));
  return base::OkStatus();
}

base::Status RegisterConfig(Context& ctx, TextConfig config) {
  // The server wants a string that stays valid until the next call.
  struct Row {
    TextConfig config;
    RedisModuleString* shown = nullptr;
  };
  auto* kept = new Row{config};
  *config.value = config.default_value;
  const int ok = RedisModule_RegisterStringConfig(
      ctx.raw(), config.name, config.default_value,
      config.only_at_start ? REDISMODULE_CONFIG_IMMUTABLE : REDISMODULE_CONFIG_DEFAULT,
      [](const char*, void* data) {
        auto* row = static_cast<Row*>(data);
        if (row->shown != nullptr) RedisModule_FreeString(nullptr, row->shown);
        const std::string& text = *row->config.value;
        row->shown = RedisModule_CreateString(nullptr, text.data(), text.size());
        return row->shown;
      },
      [](const char*, RedisModuleString* text, void* data, RedisModuleString**) {
        *static_cast<Row*>(data)->config.value = View(text);
        return REDISMODULE_OK;
      },
      nullptr, kept);
  if (ok != REDISMODULE_OK) return base::Internal(fmt::format("config {} cannot be registered", config.name));
  return base::OkStatus();
}

base::Status LoadConfigs(Context& ctx) {
  if (RedisModule_LoadConfigs(ctx.raw()) != REDISMODULE_OK) {
    return base::InvalidArgument("an ai.* setting of the configuration file is wrong");
  }
  return base::OkStatus();
}

}  // namespace redoubt::host
