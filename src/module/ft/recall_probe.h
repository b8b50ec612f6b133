#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "module/ft/field_loader.h"
#include "module/ft/index_registry.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {

class FtModule;

// What FT.DEBUG RECALL was asked.
struct RecallRequest {
  size_t field = 0;  // over a graph
  size_t sample = 100;
  size_t k = 10;
  size_t ef_runtime = 0;  // 0: that of the field
};

// Searches for the neighbours of some documents twice, by a walk through the graph and out of all vectors, and
// compares. Keys are sampled on the main thread, their vectors read in slices there (FieldLoader), the searches run by
// a reader thread, the candidates measured in slices and compared.
class RecallProbe final : public host::Completion, public KeyReading {
 public:
  // The client waits.
  static void Start(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry, RecallRequest request);

  bool LoadSome(host::Context& effects, int64_t until_us) override;
  void ContinueOnReader() override;
  void Reply(host::Context& ctx) override;

 private:
  // The neighbours of one document.
  struct Probe {
    std::string key;
    search::SearchPlan plan;
    search::SearchOutcome walked;
    search::SearchOutcome exact;
  };
  enum class Phase { kReadingVectors, kSearching, kMeasuring, kDone };

  RecallProbe(FtModule& ft, const std::shared_ptr<IndexEntry>& entry, RecallRequest request);
  void Continue();  // on a reader thread
  void Search(Probe& probe);
  bool PlanFor(host::Context& effects, Probe& probe) const;
  size_t EfRuntime() const;
  double RecallOf(const Probe& probe) const;

  FtModule& ft_;
  const std::shared_ptr<search::LiveIndex> live_;
  const search::Field field_;
  const RecallRequest request_;
  host::BlockedClient* client_ = nullptr;
  Phase phase_ = Phase::kReadingVectors;
  std::vector<Probe> probes_;
  size_t next_ = 0;  // that LoadSome() comes to
  int64_t walk_us_ = 0;
  int64_t exact_us_ = 0;
};

}  // namespace redoubt::ft
