#include "module/ft/definitions_rdb.h"

#include <fmt/core.h>

#include <cstring>

#include "module/ft/ft_module.h"
#include "module/ft/graphs_rdb.h"
#include "module/ft/read_definitions.h"
#include "module/host/command.h"
#include "module/host/server_log.h"
#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

constexpr const char* kTypeName = "redoubtft";  // nine characters, as the server demands
constexpr int kEncodingVersion = 2;             // 1 had no graphs

// Where FT.* is not ours, what is found is read over.
base::Status Load(RedisModuleIO* io, int encoding_version) {
  if (encoding_version > kEncodingVersion) {
    return base::DataLoss(fmt::format("index definitions have version {}, this module reads {}: use a newer module",
                                      encoding_version, kEncodingVersion));
  }
  host::ServerRdbReader reader(io);
  ASSIGN_OR_RETURN(std::vector<search::IndexDefinition> definitions, ReadDefinitions(reader));
  FtModule* ft = host::StateOf<FtModule>::value;
  std::vector<std::string> names;
  for (search::IndexDefinition& definition : definitions) {
    names.push_back(definition.name);
    // The keys come after this and are indexed as they come.
    if (ft != nullptr) RETURN_IF_ERROR(ft->AddIndex(std::move(definition), false));
  }
  if (encoding_version == 1) return base::OkStatus();
  base::Logger logger = host::ServerLogger();
  GraphCounts of_no_use;
  for (const std::string& name : names) {
    const std::shared_ptr<IndexEntry> entry = ft == nullptr ? nullptr : ft->indexes().FindByName(name);
    RETURN_IF_ERROR(ReadGraphs(reader, entry == nullptr ? nullptr : entry->live.get(), logger,
                               ft == nullptr ? of_no_use : ft->graphs_of_files));
  }
  return base::OkStatus();
}

int AuxLoad(RedisModuleIO* io, int encoding_version, int /*when*/) {
  base::Status status = Load(io, encoding_version);
  if (status.ok()) return REDISMODULE_OK;
  RedisModule_LogIOError(io, "warning", "cannot read the index definitions: %s", status.message().c_str());
  return REDISMODULE_ERR;
}

void Write(RedisModuleIO* io, const IndexRegistry& indexes) {
  host::RdbWriter writer(io);
  writer.Unsigned(indexes.size());
  for (const auto& [name, entry] : indexes) {
    search::IndexDefinition definition = entry->definition();
    definition.aliases = indexes.AliasesOf(*entry);
    std::vector<std::string> args = search::CreateArgs(definition);
    writer.Unsigned(args.size());
    for (const std::string& arg : args) writer.Text(arg);
  }
  for (const auto& [name, entry] : indexes) WriteGraphs(writer, *entry->live);
}

void WriteAll(RedisModuleIO* io, FtModule& ft) {
  base::ForkGate::Closed closed(ft.gate());  // no child without a fork: SAVE
  Write(io, ft.indexes());
}

// Redis 7.0: whatever happens, the part is in the file.
void AuxSave(RedisModuleIO* io, int /*when*/) {
  FtModule* ft = host::StateOf<FtModule>::value;
  if (ft == nullptr) return Write(io, IndexRegistry());
  WriteAll(io, *ft);
}

// Later servers leave the part out when nothing is written: the file then loads without the module.
void AuxSaveIfAny(RedisModuleIO* io, int /*when*/) {
  FtModule* ft = host::StateOf<FtModule>::value;
  if (ft != nullptr && !ft->indexes().empty()) WriteAll(io, *ft);
}

// There are no values of this type; the server wants the functions all the same.
void* LoadNoValue(RedisModuleIO* /*io*/, int /*encoding_version*/) { return nullptr; }
void SaveNoValue(RedisModuleIO* /*io*/, void* /*value*/) {}
void RewriteNoValue(RedisModuleIO* /*io*/, RedisModuleString* /*key*/, void* /*value*/) {}
void FreeNoValue(void* /*value*/) {}

// RedisModuleTypeMethods of version 5, which Redis 7.2 brought; the 7.0 header has version 4.
struct TypeMethodsV5 {
  RedisModuleTypeMethods v4;
  RedisModuleTypeAuxSaveFunc aux_save2;
};

}  // namespace

base::Status RegisterDefinitionsType(host::Context& on_load) {
  TypeMethodsV5 methods;
  std::memset(&methods, 0, sizeof methods);
  methods.v4.version = REDISMODULE_TYPE_METHOD_VERSION;
  methods.v4.rdb_load = &LoadNoValue;
  methods.v4.rdb_save = &SaveNoValue;
  methods.v4.aof_rewrite = &RewriteNoValue;
  methods.v4.free = &FreeNoValue;
  methods.v4.aux_load = &AuxLoad;
  methods.v4.aux_save_triggers = REDISMODULE_AUX_BEFORE_RDB;
  if (RedisModule_GetTypeMethodVersion() >= 5) {
    methods.v4.version = 5;
    methods.aux_save2 = &AuxSaveIfAny;
  } else {
    methods.v4.aux_save = &AuxSave;
  }
  if (RedisModule_CreateDataType(on_load.raw(), kTypeName, kEncodingVersion, &methods.v4) == nullptr) {
    return base::Internal(fmt::format("the server refused the data type {}", kTypeName));
  }
  return base::OkStatus();
}

}  // namespace redoubt::ft
