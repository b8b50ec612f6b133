#include "server/monitor/instance_record.h"

#include <fmt/core.h>

#include "base/json.h"

namespace redoubt::monitor {

using base::Json;
using base::Result;

namespace {

// A secret is stored sealed, an absent one not at all.
void PutSecret(Json& record, const char* name, const std::string& secret, const SealFunction& seal) {
  if (!secret.empty()) record[name] = seal(secret);
}

Result<std::string> TakeSecret(const Json& record, const char* name, const UnsealFunction& unseal) {
  auto found = record.find(name);
  if (found == record.end()) return std::string();
  if (!found->is_string()) return base::DataLoss(fmt::format("stored instance: {} is no text", name));
  Result<std::string> clear = unseal(found->get<std::string>());
  if (clear.ok()) return clear;
  return base::DataLoss(fmt::format("stored instance: {} cannot be unsealed ({})", name, clear.status().message()));
}

Json TlsRecord(const resp::TlsOptions& tls, const SealFunction& seal) {
  Json record{{"ca", tls.ca},
              {"cert", tls.cert},
              {"server_name", tls.server_name},
              {"insecure_skip_verify", tls.insecure_skip_verify}};
  PutSecret(record, "key_sealed", tls.key, seal);
  return record;
}

Result<resp::TlsOptions> TlsFromRecord(const Json& record, const UnsealFunction& unseal) {
  resp::TlsOptions tls;
  tls.ca = record.value("ca", "");
  tls.cert = record.value("cert", "");
  tls.server_name = record.value("server_name", "");
  tls.insecure_skip_verify = record.value("insecure_skip_verify", false);
  ASSIGN_OR_RETURN(tls.key, TakeSecret(record, "key_sealed", unseal));
  return tls;
}

}  // namespace

Json ToRecord(const InstanceConfig& config, const SealFunction& seal) {
  Json record{{"id", config.id},
              {"name", config.name},
              {"host", config.connect.host},
              {"port", config.connect.port},
              {"username", config.connect.username},
              {"db", config.connect.db},
              {"test_faults", config.test_faults},
              {"demo", config.demo},
              {"interval_s", config.interval_s},
              {"running", config.running}};
  PutSecret(record, "password_sealed", config.connect.password, seal);
  if (config.connect.tls) record["tls"] = TlsRecord(*config.connect.tls, seal);
  return record;
}

Result<InstanceConfig> FromRecord(const Json& record, const UnsealFunction& unseal) {
  InstanceConfig config;
  try {
    config.id = record.at("id").get<std::string>();
    config.name = record.at("name").get<std::string>();
    config.connect.host = record.at("host").get<std::string>();
    config.connect.port = record.at("port").get<int>();
    config.connect.username = record.value("username", "");
    config.connect.db = record.value("db", 0);
    config.test_faults = record.value("test_faults", false);
    config.demo = record.value("demo", false);
    config.interval_s = record.value("interval_s", kDefaultIntervalSeconds);
    config.running = record.value("running", true);
    ASSIGN_OR_RETURN(config.connect.password, TakeSecret(record, "password_sealed", unseal));
    if (record.contains("tls")) {
      ASSIGN_OR_RETURN(config.connect.tls, TlsFromRecord(record.at("tls"), unseal));
    }
  } catch (const Json::exception& error) {
    return base::DataLoss(fmt::format("stored instance is damaged: {}", error.what()));
  }
  return config;
}

}  // namespace redoubt::monitor
