#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "embed/embedder.h"
#include "infer/backend_registry.h"
#include "server/alert/alert.h"
#include "server/api/demo_server.h"
#include "server/api/parts.h"
#include "server/config/locations.h"
#include "server/data_folder.h"
#include "server/diagnose/analysis_store.h"
#include "server/diagnose/analyzer.h"
#include "server/diagnose/guard.h"
#include "server/front.h"
#include "server/history/history.h"
#include "server/history/records.h"
#include "server/http/event_hub.h"
#include "server/http/router.h"
#include "server/http/server.h"
#include "server/http/static_files.h"
#include "server/kb/knowledge_base.h"
#include "server/lab/lab.h"
#include "server/llm/provider.h"
#include "server/monitor/instances.h"
#include "server/store/database.h"
#include "server/store/secret_box.h"

namespace redoubt {

// All parts in the order in which they are built; destroyed in reverse.
class Assistant {
 public:
  Assistant(const config::Settings& settings, base::Logger logger) : settings_(settings), logger_(std::move(logger)) {}
  ~Assistant() { StopThreads(); }

  base::Status Build();
  void Stop();

  const std::vector<http::Address>& addresses() const { return server_->addresses(); }

 private:
  base::Status BuildStores();
  base::Status BuildKnowledge();
  base::Status BuildDiagnosis();
  base::Status BuildAlerts();
  void BuildLive();
  base::Status BuildFront();
  base::Status Resume();
  void LoadEmbedder();
  void LoadWeb();
  void BuildVectorsLater();
  void ConnectLater();
  void TakeSample(const monitor::Sample& sample);
  monitor::InstanceStore InstanceFunctions();
  alert::AlertStore AlertFunctions();
  void AddAlertSettings(alert::AlertStore& functions);
  lab::Journal JournalFunctions();
  base::Result<lab::Target> LabTarget(const std::string& instance);
  bool FaultsAllowed(const resp::ConnectOptions& connect) const;
  bool WaitOrStop(std::chrono::milliseconds time);
  void LeaveDemo();
  void StopThreads();

  const config::Settings& settings_;
  const base::Logger logger_;
  const config::Locations locations_ = config::FindLocations(settings_);
  base::SystemClock clock_;
  Front front_;
  api::Parts parts_;

  std::optional<DataFolder> folder_;
  std::unique_ptr<store::Database> database_;
  std::optional<store::SecretBox> secrets_;
  std::optional<history::Records> records_;
  std::optional<history::AlertTable> alert_table_;
  std::unique_ptr<history::History> history_;
  std::optional<diagnose::AnalysisStore> analyses_;

  // Never destroyed: vendor libraries behind it do not survive that.
  infer::BackendRegistry* backends_ = nullptr;
  std::unique_ptr<embed::Embedder> embedder_;
  std::unique_ptr<kb::KnowledgeBase> knowledge_;
  std::optional<diagnose::Guard> guard_;
  std::unique_ptr<llm::Provider> provider_;
  std::unique_ptr<diagnose::Analyzer> analyzer_;
  std::unique_ptr<base::ThreadPool> narrators_;

  std::unique_ptr<http::EventHub> events_;
  std::unique_ptr<alert::AlertEngine> alerts_;
  std::unique_ptr<api::DemoServer> demo_;
  std::unique_ptr<monitor::Monitor> monitor_;
  std::unique_ptr<lab::Lab> lab_;

  http::StaticFolder web_;
  std::unique_ptr<http::AccessPolicy> access_;
  http::Stats stats_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;

  std::atomic<bool> resumed_{false};
  std::atomic<bool> vectors_ready_{false};
  std::mutex stop_mu_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt
