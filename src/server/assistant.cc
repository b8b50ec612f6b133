#include "server/assistant.h"

#include <fmt/core.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "server/api/publish.h"
#include "server/monitor/instance_record.h"

namespace redoubt {

using base::Result;
using base::Status;

namespace {

constexpr std::chrono::seconds kConnectRetry{5};
// Explanations that a language model writes at once, and those that wait for it.
constexpr size_t kNarrators = 4;
constexpr size_t kWaitingNarrations = 16;

Result<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::NotFound(fmt::format("cannot read {}", path));
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

}  // namespace

Status Assistant::Build() {
  // What a wrong command line breaks comes first.
  ASSIGN_OR_RETURN(front_, ReadFront(settings_));
  RETURN_IF_ERROR(BuildStores());
  RETURN_IF_ERROR(BuildKnowledge());
  RETURN_IF_ERROR(BuildDiagnosis());
  RETURN_IF_ERROR(BuildAlerts());
  BuildLive();
  RETURN_IF_ERROR(BuildFront());
  return Resume();
}

Status Assistant::BuildStores() {
  ASSIGN_OR_RETURN(DataFolder folder, DataFolder::Open(settings_.Text("data")));
  folder_.emplace(std::move(folder));
  ASSIGN_OR_RETURN(database_, store::Database::Open(folder_->File("redoubt.db"), logger_));
  ASSIGN_OR_RETURN(store::SecretBox secrets, store::SecretBox::Open(folder_->File("secret.key")));
  secrets_.emplace(std::move(secrets));
  ASSIGN_OR_RETURN(history::Records records, history::Records::Open(*database_));
  records_.emplace(std::move(records));
  ASSIGN_OR_RETURN(history::AlertTable alerts, history::AlertTable::Open(*database_));
  alert_table_.emplace(std::move(alerts));
  ASSIGN_OR_RETURN(history_, history::History::Open(*database_, logger_));
  ASSIGN_OR_RETURN(diagnose::AnalysisStore analyses, diagnose::AnalysisStore::Open(*database_));
  analyses_.emplace(std::move(analyses));
  return base::OkStatus();
}

// Without the model the assistant works on words alone, and says so.
void Assistant::LoadEmbedder() {
  if (!settings_.On("embedding")) return;
  infer::BackendRegistry::Options options;
  options.directory = locations_.backends;
  options.threads = 1;
  options.logger = logger_;
  backends_ = new infer::BackendRegistry(std::move(options));
  embed::EmbedderOptions model;
  model.model_dir = locations_.model;
  Result<std::unique_ptr<embed::Embedder>> embedder = embed::Embedder::Load(*backends_, model);
  if (embedder.ok()) {
    embedder_ = std::move(*embedder);
  } else {
    logger_.Warning("no embedding model, so retrieval goes by words alone: {}", embedder.status().message());
  }
}

Status Assistant::BuildKnowledge() {
  LoadEmbedder();
  kb::KnowledgeBase::Deps deps;
  deps.dir = locations_.knowledge;
  deps.database = database_.get();
  deps.logger = logger_;
  if (embedder_) {
    deps.embedding.model_id = embedder_->model_id();
    deps.embedding.embed = [this](std::string_view text) { return embedder_->Embed(text); };
    parts_.embedding_model = embedder_->model_id();
  }
  ASSIGN_OR_RETURN(knowledge_, kb::KnowledgeBase::Open(std::move(deps)));
  for (const std::string& line : knowledge_->report().lines) logger_.Info("{}", line);
  logger_.Info("{}", knowledge_->report().Summary(base::Lang::kKo));
  return base::OkStatus();
}

Status Assistant::BuildDiagnosis() {
  ASSIGN_OR_RETURN(diagnose::Guard guard, diagnose::Guard::Load(locations_.knowledge + "/guard.json"));
  guard_.emplace(std::move(guard));
  diagnose::Analyzer::Deps deps;
  deps.knowledge = knowledge_.get();
  deps.guard = &*guard_;
  deps.clock = &clock_;
  deps.llm_deadline = std::chrono::seconds(settings_.Number("llm-timeout"));
  if (!settings_.Text("llm-url").empty()) {
    llm::OpenAiOptions options{settings_.Text("llm-url"), settings_.Text("llm-model"), settings_.Text("llm-key")};
    if (const std::string& file = settings_.Text("llm-key-file"); !file.empty()) {
      ASSIGN_OR_RETURN(options.api_key, FirstLine(file));
    }
    if (options.model.empty())
      return base::InvalidArgument("--llm-url needs --llm-model: the name of the model to ask for");
    ASSIGN_OR_RETURN(provider_, llm::MakeOpenAiProvider(std::move(options)));
    deps.provider = provider_.get();
    parts_.llm = provider_->name() + "/" + provider_->model();
    narrators_ = std::make_unique<base::ThreadPool>("narrator", kNarrators, kWaitingNarrations);
    parts_.narrators = narrators_.get();
  }
  analyzer_ = std::make_unique<diagnose::Analyzer>(deps);
  return base::OkStatus();
}

alert::AlertStore Assistant::AlertFunctions() {
  auto restore = [](const std::vector<base::Json>& records) -> Result<std::vector<alert::Alert>> {
    std::vector<alert::Alert> alerts;
    for (const base::Json& record : records) {
      ASSIGN_OR_RETURN(alert::Alert alert, alert::FromRecord(record));
      alerts.push_back(std::move(alert));
    }
    return alerts;
  };
  alert::AlertStore functions;
  functions.save = [this](const alert::Alert& alert) {
    bool open = alert.state != alert::State::kResolved;
    return alert_table_->Save(alert.id, alert.instance, alert.started_at_ms, open, alert::ToRecord(alert));
  };
  functions.load_open = [this, restore]() -> Result<std::vector<alert::Alert>> {
    ASSIGN_OR_RETURN(std::vector<base::Json> records, alert_table_->LoadOpen());
    return restore(records);
  };
  functions.load_recent = [this, restore](const std::string& instance,
                                          size_t limit) -> Result<std::vector<alert::Alert>> {
    ASSIGN_OR_RETURN(std::vector<base::Json> records, alert_table_->LoadRecent(instance, limit));
    return restore(records);
  };
  AddAlertSettings(functions);
  return functions;
}

void Assistant::AddAlertSettings(alert::AlertStore& functions) {
  functions.save_silence = [this](const alert::Silence& silence) {
    return records_->Put("silence", silence.id, alert::ToRecord(silence));
  };
  functions.remove_silence = [this](const std::string& id) { return records_->Delete("silence", id); };
  functions.load_silences = [this]() -> Result<std::vector<alert::Silence>> {
    ASSIGN_OR_RETURN(std::vector<base::Json> records, records_->List("silence"));
    std::vector<alert::Silence> silences;
    for (const base::Json& record : records) {
      Result<alert::Silence> silence = alert::FromSilenceRecord(record);
      // Without it an alert pages once too often, which is better than not starting.
      if (silence.ok()) silences.push_back(std::move(*silence));
      if (!silence.ok()) logger_.Error("{}", silence.status().message());
    }
    return silences;
  };
  functions.save_thresholds = [this](const std::string& instance, const base::Json& rules) {
    if (rules.empty()) return records_->Delete("thresholds", instance);
    return records_->Put("thresholds", instance, {{"instance", instance}, {"rules", rules}});
  };
  functions.load_thresholds = [this]() -> Result<std::map<std::string, base::Json>> {
    ASSIGN_OR_RETURN(std::vector<base::Json> records, records_->List("thresholds"));
    std::map<std::string, base::Json> thresholds;
    for (const base::Json& record : records) {
      auto instance = record.find("instance");
      auto rules = record.find("rules");
      bool good = instance != record.end() && instance->is_string() && rules != record.end() && rules->is_object();
      if (good) thresholds[instance->get<std::string>()] = *rules;
      if (!good) logger_.Error("stored thresholds of an instance are damaged; it goes by the defaults");
    }
    return thresholds;
  };
}

Status Assistant::BuildAlerts() {
  std::string file = locations_.knowledge + "/rules/alerts.json";
  ASSIGN_OR_RETURN(std::string text, ReadAll(file));
  Result<base::Json> rules = base::ParseJson(text);
  if (!rules.ok()) return base::InvalidArgument(fmt::format("{}: {}", file, rules.status().message()));
  ASSIGN_OR_RETURN(alerts_, alert::AlertEngine::Create(*rules, {&clock_, logger_, AlertFunctions()}));
  return base::OkStatus();
}

bool Assistant::FaultsAllowed(const resp::ConnectOptions& connect) const {
  std::string host = connect.host == "localhost" ? "127.0.0.1" : connect.host;
  std::string place = fmt::format("{}:{}", host, connect.port);
  return std::find(parts_.allowed_faults.begin(), parts_.allowed_faults.end(), place) != parts_.allowed_faults.end();
}

monitor::InstanceStore Assistant::InstanceFunctions() {
  monitor::InstanceStore functions;
  functions.save = [this](const monitor::InstanceConfig& config) {
    auto seal = [this](std::string_view clear) { return secrets_->Seal(clear); };
    return records_->Put("instance", config.id, monitor::ToRecord(config, seal));
  };
  functions.remove = [this](const std::string& id) { return records_->Delete("instance", id); };
  functions.load = [this]() -> Result<std::vector<monitor::InstanceConfig>> {
    ASSIGN_OR_RETURN(std::vector<base::Json> records, records_->List("instance"));
    std::vector<monitor::InstanceConfig> configs;
    for (const base::Json& record : records) {
      auto config = monitor::FromRecord(record, [this](std::string_view sealed) { return secrets_->Unseal(sealed); });
      // One that cannot be read must not keep the others from being watched.
      if (config.ok()) {
        // A grant lasts no longer than --allow-test-faults names the server.
        config->test_faults = config->test_faults && FaultsAllowed(config->connect);
        configs.push_back(std::move(*config));
      } else {
        logger_.Error("a stored instance cannot be read, connect it again: {}", config.status().message());
      }
    }
    return configs;
  };
  return functions;
}

lab::Journal Assistant::JournalFunctions() {
  lab::Journal journal;
  journal.save = [this](const std::string& instance, const base::Json& entry) {
    return records_->Put("lab-journal", instance, entry);
  };
  journal.remove = [this](const std::string& instance) { return records_->Delete("lab-journal", instance); };
  journal.load = [this] { return records_->List("lab-journal"); };
  return journal;
}

Result<lab::Target> Assistant::LabTarget(const std::string& instance) {
  ASSIGN_OR_RETURN(monitor::InstanceConfig config, monitor_->ConfigOf(instance));
  lab::Target target;
  target.id = config.id;
  target.name = config.name;
  target.connect = config.connect;
  target.test_faults = config.test_faults;
  target.interval_ms = config.interval_s * 1000;
  return target;
}

// Every sample passes here, on a polling thread: history, alerts, open streams.
void Assistant::TakeSample(const monitor::Sample& sample) {
  history::Point point;
  point.instance = sample.instance;
  point.at_ms = sample.at_ms;
  point.reachable = sample.reachable;
  point.interval_ms = sample.interval_ms;
  if (sample.reachable) point.values = monitor::SeriesOf(sample);
  history_->Append(std::move(point));
  api::PublishSample(parts_, sample);
  for (const alert::AlertEvent& event : alerts_->Observe(sample)) api::PublishAlert(parts_, event);
}

void Assistant::BuildLive() {
  events_ = std::make_unique<http::EventHub>(static_cast<size_t>(settings_.Number("max-streams")));
  demo_ = std::make_unique<api::DemoServer>(api::FindRedisServer(settings_.Text("demo-redis")), folder_->File("demo"),
                                            logger_);
  parts_.clock = &clock_;
  parts_.logger = logger_;
  parts_.events = events_.get();
  parts_.stats = &stats_;
  parts_.history = history_.get();
  parts_.alerts = alerts_.get();
  parts_.knowledge = knowledge_.get();
  parts_.analyzer = analyzer_.get();
  parts_.analyses = &*analyses_;
  parts_.demo = demo_.get();
  parts_.allowed_faults = ReadAllowedFaults(settings_);
  parts_.max_log_bytes = static_cast<size_t>(settings_.Number("max-log-mb")) * 1'000'000;
  parts_.resumed = [this] { return resumed_.load(); };
  parts_.vectors_ready = [this] { return vectors_ready_.load(); };
  parts_.database_check = [this] {
    return database_->Read([](store::Connection& db) -> Status {
      ASSIGN_OR_RETURN(store::Statement probe, db.Prepare("SELECT count(*) FROM migrations"));
      return probe.Run();
    });
  };

  monitor::Monitor::Deps watching;
  watching.clock = &clock_;
  watching.logger = logger_;
  watching.sink = [this](const monitor::Sample& sample) { TakeSample(sample); };
  watching.on_change = [this](const std::string& instance) { api::PublishInstance(parts_, instance); };
  watching.store = InstanceFunctions();
  watching.max_instances = static_cast<size_t>(settings_.Number("max-instances"));
  monitor_ = std::make_unique<monitor::Monitor>(std::move(watching));
  parts_.monitor = monitor_.get();

  lab::Lab::Deps faults;
  faults.clock = &clock_;
  faults.logger = logger_;
  faults.target = [this](const std::string& instance) { return LabTarget(instance); };
  faults.journal = JournalFunctions();
  faults.on_change = [this](const lab::Fault& fault) { api::PublishFault(parts_, fault); };
  lab_ = std::make_unique<lab::Lab>(std::move(faults));
  parts_.lab = lab_.get();
}

void Assistant::LoadWeb() {
  Result<http::StaticFolder> web = http::StaticFolder::Load(locations_.web);
  if (web.ok()) {
    web_ = std::move(*web);
  } else {
    logger_.Warning("the web UI is not built: {}", web.status().message());
  }
}

Status Assistant::BuildFront() {
  LoadWeb();
  access_ = std::make_unique<http::AccessPolicy>(front_.access);
  parts_.access = access_.get();
  parts_.docs = [this](const http::Request& request) { return http::ServeStatic(web_.files(), request); };
  api::RegisterRoutes(router_, parts_);
  router_.SetFallback([this](const http::Request& request) { return http::ServeStatic(web_.files(), request); });
  ASSIGN_OR_RETURN(
      server_, http::Server::Start(ReadServerOptions(settings_, front_.listen), router_, *access_, stats_, logger_));
  return base::OkStatus();
}

Status Assistant::Resume() {
  RETURN_IF_ERROR(alerts_->Restore());
  RETURN_IF_ERROR(monitor_->Resume());
  LeaveDemo();  // one of a killed redoubt: its server is gone
  threads_.emplace_back([this] { lab_->Recover(); });
  if (embedder_) threads_.emplace_back([this] { BuildVectorsLater(); });
  if (!settings_.Text("connect").empty()) threads_.emplace_back([this] { ConnectLater(); });
  resumed_ = true;
  return base::OkStatus();
}

// The demo server does not outlive the process that started it, and neither does what is known of it.
void Assistant::LeaveDemo() {
  for (const monitor::InstanceStatus& status : monitor_->Instances()) {
    if (!status.config.demo) continue;
    (void)records_->Delete("lab-journal", status.config.id);
    (void)monitor_->Disconnect(status.config.id);
    (void)alerts_->Forget(status.config.id);
  }
}

void Assistant::BuildVectorsLater() {
  Status built = knowledge_->BuildVectors();
  if (!built.ok())
    return logger_.Warning("the entries have no vectors, so retrieval goes by words alone: {}", built.message());
  vectors_ready_ = true;
}

// --connect is a wish that lasts: a server that is down now is connected when it comes up.
void Assistant::ConnectLater() {
  Result<resp::ConnectOptions> address = resp::ParseRedisUrl(settings_.Text("connect"));
  if (!address.ok()) return logger_.Error("--connect: {}", address.status().message());
  monitor::InstanceConfig config;
  config.connect = std::move(*address);
  config.name = settings_.Text("connect-name");
  std::string place = resp::Address(config.connect);
  config.test_faults = FaultsAllowed(config.connect);
  for (bool first = true;; first = false) {
    Result<monitor::ConnectResult> result = monitor_->Connect(config);
    if (result.ok() && !result->error) return logger_.Info("watching {} as {}", place, result->instance);
    std::string why = result.ok() ? result->error->message.en : result.status().message();
    if (first) logger_.Warning("--connect {}: {} Trying again every {} s.", place, why, kConnectRetry.count());
    if (!WaitOrStop(kConnectRetry)) return;
  }
}

// False when the house is stopping.
bool Assistant::WaitOrStop(std::chrono::milliseconds time) {
  std::unique_lock lock(stop_mu_);
  return !stop_changed_.wait_for(lock, time, [this] { return stopping_; });
}

void Assistant::StopThreads() {
  {
    std::lock_guard lock(stop_mu_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Assistant::Stop() {
  events_->CloseAll();
  for (const monitor::InstanceStatus& status : monitor_->Instances()) {
    if (status.config.demo) (void)lab_->Cleanup(status.config.id);
  }
  LeaveDemo();
  demo_->Stop();
  server_->Stop();
  StopThreads();
  monitor_->Shutdown();
  lab_.reset();
  if (narrators_) narrators_->Stop();  // last: it waits for a model that is writing
}

}  // namespace redoubt
