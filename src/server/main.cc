// The program: reads the command line; `serve` builds the assistant, waits for a signal, and stops it.
#include <fmt/core.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/log.h"
#include "server/api/version.h"
#include "server/assistant.h"
#include "server/cli/cli.h"

namespace redoubt {
namespace {

using base::Result;
using base::Status;

// A stop takes at most this long: what is not done then is left to the next start (the database is safe at any time,
// faults are journalled).
constexpr std::chrono::milliseconds kStopDeadline{1800};

Result<base::LogLevel> ParseLogLevel(const std::string& text) {
  if (text == "debug") return base::LogLevel::kDebug;
  if (text == "info") return base::LogLevel::kInfo;
  if (text == "warning") return base::LogLevel::kWarning;
  if (text == "error") return base::LogLevel::kError;
  return base::InvalidArgument(fmt::format("--log-level: '{}' is none of debug, info, warning, error", text));
}

// Thousands of open streams need as many descriptors; the usual soft limit is 1,024.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Blocks until Ctrl-C or SIGTERM. The signals are blocked in every thread, so that only this one gets them.
void WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
}

int Serve(const config::Settings& settings) {
  Result<base::LogLevel> level = ParseLogLevel(settings.Text("log-level"));
  if (!level.ok()) {
    fmt::print(stderr, "redoubt: {}\n", level.status().message());
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();

  base::Logger logger(base::StderrSink(), *level);
  auto assistant = std::make_unique<Assistant>(settings, logger);
  if (Status built = assistant->Build(); !built.ok()) {
    fmt::print(stderr, "redoubt: {}\n", built.message());
    return 1;
  }
  for (const http::Address& address : assistant->addresses()) {
    fmt::print("redoubt {} is ready on {}://{}\n", api::kVersion, settings.Text("tls-cert").empty() ? "http" : "https",
               address.ToString());
  }
  std::fflush(stdout);

  WaitForSignal(signals);
  logger.Info("stopping");
  std::thread([logger] {
    std::this_thread::sleep_for(kStopDeadline);
    logger.Warning("stopped without waiting for servers that do not answer");
    std::_Exit(0);
  }).detach();
  assistant->Stop();
  assistant.reset();
  logger.Info("stopped");
  std::fflush(nullptr);
  std::_Exit(0);  // vendor libraries of the model do not survive static destruction
}

// The assistant runs dozens of threads that each allocate little and briefly. glibc would give every one an arena of
// its own and keep what they free, some 50 MB after a few hundred analyses.
void KeepMemorySmall() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

}  // namespace
}  // namespace redoubt

int main(int argc, char** argv) {
  redoubt::KeepMemorySmall();
  return redoubt::cli::Run(argc, argv, redoubt::Serve);
}
