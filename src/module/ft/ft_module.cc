#include "module/ft/ft_module.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "module/ft/error_codes.h"
#include "module/host/command.h"

namespace redoubt::ft {
namespace {

size_t ReaderThreads() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 16); }

// The main thread goes first when there are fewer processors than work: a search that takes a little longer hurts one
// client, a main thread that waits hurts all of them.
void LowerPriorityOnce() {
  constexpr int kNice = 5;
  static thread_local const int lowered = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  (void)lowered;  // without the right to do so the threads are as important as any
}

}  // namespace

FtModule::FtModule(base::MemoryResource& memory, base::Logger logger)
    : memory_(memory),
      logger_(std::move(logger)),
      scan_(*this),
      cursors_(*this),
      readers_("ft-search", ReaderThreads(), kSearchQueueLimit * 2) {}

base::Status FtModule::AddIndex(search::IndexDefinition definition, bool scan) {
  if (indexes_.FindByName(definition.name) != nullptr) return base::AlreadyExists("Index already exists");
  auto entry = std::make_shared<IndexEntry>();
  entry->queue = std::make_shared<SearchQueue>();
  if (!definition.filter.empty()) {
    ASSIGN_OR_RETURN(entry->filter, search::DocumentFilter::Parse(definition.filter, definition));
  }
  entry->Use();
  auto wake = [this](const std::shared_ptr<search::LiveIndex>& live) { workers_.Wake(live); };
  auto discard = [this](std::shared_ptr<void> garbage) { FreeLater(std::move(garbage)); };
  ASSIGN_OR_RETURN(entry->live, search::LiveIndex::Create(std::move(definition), memory_, wake, &gate_, discard));
  indexes_.Add(entry);
  temporary_.Watch();
  for (const std::string& alias : entry->definition().aliases) indexes_.SetAlias(alias, entry);
  if (scan) scan_.Start(entry);
  return base::OkStatus();
}

base::Status FtModule::AlterIndex(const std::shared_ptr<IndexEntry>& entry, std::vector<search::Field> fields,
                                  bool scan) {
  RETURN_IF_ERROR(entry->live->AddFields(std::move(fields)));
  if (scan) scan_.Start(entry);
  return base::OkStatus();
}

bool FtModule::DropIndex(std::string_view name) {
  std::shared_ptr<IndexEntry> entry = indexes_.Take(name);
  if (entry == nullptr) return false;
  entry->live->work().Serve({});
  return true;
}

void FtModule::DropAllIndexes() {
  for (const std::shared_ptr<IndexEntry>& entry : indexes_.TakeAll()) entry->live->work().Serve({});
}

base::Status FtModule::CheckMaySearch() {
  if (stopping()) return base::Unavailable("ERR the server is shutting down");
  if (readers_.waiting() < kSearchQueueLimit) return base::OkStatus();
  ++refused_searches;
  return base::ResourceExhausted(
      fmt::format("ERR {} searches are waiting already: try again later", kSearchQueueLimit));
}

bool FtModule::RunOnReader(std::function<void()> task) {
  return readers_.TrySubmit([task = std::move(task)] {
    LowerPriorityOnce();
    task();
  });
}

bool FtModule::RunOnIdleReader(std::function<void()> task) {
  return readers_.TrySubmitToIdle([task = std::move(task)] {
    LowerPriorityOnce();
    task();
  });
}

void FtModule::FreeLater(std::shared_ptr<void> garbage) {
  // Giving back hundreds of megabytes takes milliseconds. While the server ends it is freed here after all.
  (void)workers_.TrySubmit([garbage = std::move(garbage)] {});
}

void FtModule::RescanAll() {
  for (const auto& [name, entry] : indexes_) {
    entry->live->Clear();
    scan_.Start(entry);
  }
}

void FtModule::FinishLoading() {
  for (const auto& [name, entry] : indexes_) {
    const size_t dropped = entry->live->DropUnconfirmed();
    entry->Use();  // a TEMPORARY index begins to wait now
    if (dropped > 0) logger_.Info("index '{}': {} documents of the file have no key any more", name, dropped);
  }
}

void FtModule::RunOnReader(const IndexEntry& entry, QueuedSearch* search) {
  entry.queue->Add(search);
  (void)RunOnReader([queue = entry.queue, index = entry.live] { queue->RunSome(*index); });
}

void FtModule::Stop() {
  stopping_ = true;
  readers_.Stop();
  workers_.Stop();
}

base::Status ReplyFtError(host::Context& ctx, const base::Status& error) {
  const FtSettings* settings = host::StateOf<FtSettings>::value;
  FtModule* ft = host::StateOf<FtModule>::value;
  const bool for_another = ft != nullptr && ft->shards() != nullptr && ft->shards()->runs_for_another();
  const bool codes = settings != nullptr && settings->error_codes && !for_another;
  ctx.ReplyError(codes ? WithErrorCode(error.message()) : error.message());
  return base::OkStatus();
}

std::vector<std::string_view> Words(const host::Args& args, size_t first) {
  std::vector<std::string_view> words;
  for (size_t i = first; i < args.size(); ++i) words.push_back(args[i]);
  return words;
}

}  // namespace redoubt::ft
