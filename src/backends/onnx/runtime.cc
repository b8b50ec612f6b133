#include "backends/onnx/runtime.h"

#include <onnxruntime_session_options_config_keys.h>

#include <cstdio>
#include <new>
#include <thread>

namespace redoubt::backends::onnx {
namespace {

// In front of every block: its size, because ONNX Runtime does not give it back. One cache line keeps the alignment.
constexpr size_t kHeader = 64;

void ORT_API_CALL Log(void* param, OrtLoggingLevel severity, const char* category, const char* /*logid*/,
                      const char* /*location*/, const char* message) {
  const auto* host = static_cast<const redoubt_host*>(param);
  if (host->log == nullptr) return;
  const int level = severity >= ORT_LOGGING_LEVEL_ERROR ? 3 : severity == ORT_LOGGING_LEVEL_WARNING ? 2 : 0;
  std::string line = "onnxruntime ";
  line.append(category != nullptr ? category : "").append(": ").append(message != nullptr ? message : "");
  host->log(host->user, level, line.c_str());
}

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer sees what the vendor's code copies by memcpy, but not the guards around it, which are compiled into
// that code. So it does not look at the memory that a thread of the vendor's pool uses; locks it still follows.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);

void RunVendorThread(OrtThreadWorkerFn work, void* param) {
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  work(param);
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}
#else
void RunVendorThread(OrtThreadWorkerFn work, void* param) { work(param); }
#endif

struct PoolThread {
  std::thread thread;
};

OrtCustomThreadHandle StartThread(void* options, OrtThreadWorkerFn work, void* param) {
  const auto* host = static_cast<const redoubt_host*>(options);
  auto* handle = new PoolThread{std::thread([host, work, param] {
    if (host->thread_started != nullptr) host->thread_started(host->user);
    RunVendorThread(work, param);
  })};
  return reinterpret_cast<OrtCustomThreadHandle>(handle);
}

void JoinThread(OrtCustomThreadHandle handle) {
  auto* thread = reinterpret_cast<PoolThread*>(const_cast<OrtCustomHandleType*>(handle));
  thread->thread.join();
  delete thread;
}

}  // namespace

int32_t Fail(redoubt_error* error, redoubt_code code, const std::string& message) {
  std::snprintf(error->message, sizeof error->message, "%s", message.c_str());
  return code;
}

Ort::Env Runtime::MakeEnv(const redoubt_host* host) {
  Ort::ThreadingOptions threads;
  threads.SetGlobalIntraOpNumThreads(host->intra_op_threads);
  threads.SetGlobalInterOpNumThreads(host->inter_op_threads > 0 ? host->inter_op_threads : 1);
  threads.SetGlobalSpinControl(0);
  threads.SetGlobalCustomCreateThreadFn(&StartThread);
  threads.SetGlobalCustomThreadCreationOptions(const_cast<redoubt_host*>(host));
  threads.SetGlobalCustomJoinThreadFn(&JoinThread);
  return Ort::Env(threads, &Log, const_cast<redoubt_host*>(host), ORT_LOGGING_LEVEL_WARNING, "redoubt");
}

Runtime::Runtime(const redoubt_host* host)
    : host_(host), env_(MakeEnv(host)), cpu_(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {
  allocator_.version = ORT_API_VERSION;
  allocator_.Alloc = &Allocate;
  allocator_.Free = &Free;
  allocator_.Info = &Info;
  allocator_.Reserve = &Allocate;
  allocator_.runtime = this;
  Ort::ThrowOnError(Ort::GetApi().RegisterAllocator(env_, &allocator_));
  env_.DisableTelemetryEvents();  // a second lock: the registry has set ORT_DISABLE_TELEMETRY before
}

Ort::SessionOptions Runtime::SessionOptions() const {
  Ort::SessionOptions options;
  options.DisablePerSessionThreads();
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.DisableCpuMemArena();
  options.AddConfigEntry(kOrtSessionOptionsConfigUseEnvAllocators, "1");
  // Only protobuf: HasExternalData reads nothing else.
  options.AddConfigEntry(kOrtSessionOptionsConfigLoadModelFormat, "ONNX");
  return options;
}

int64_t& Runtime::ThreadBalance() {
  thread_local int64_t balance = 0;
  return balance;
}

void* Runtime::Allocate(OrtAllocator* self, size_t size) {
  if (size == 0) return nullptr;
  Runtime& runtime = *static_cast<Allocator*>(self)->runtime;
  const size_t total = size + kHeader;
  void* block = total < size ? nullptr : runtime.host_->allocate(runtime.host_->user, total);
  // ONNX Runtime does not expect null here; its own allocator throws this too.
  if (block == nullptr) throw NoRoom();
  *static_cast<uint64_t*>(block) = total;
  runtime.bytes_.fetch_add(total, std::memory_order_relaxed);
  runtime.allocations_.fetch_add(1, std::memory_order_relaxed);
  ThreadBalance() += static_cast<int64_t>(total);
  return static_cast<char*>(block) + kHeader;
}

void Runtime::Free(OrtAllocator* self, void* p) {
  if (p == nullptr) return;
  Runtime& runtime = *static_cast<Allocator*>(self)->runtime;
  void* block = static_cast<char*>(p) - kHeader;
  const uint64_t total = *static_cast<uint64_t*>(block);
  runtime.bytes_.fetch_sub(total, std::memory_order_relaxed);
  ThreadBalance() -= static_cast<int64_t>(total);
  runtime.host_->deallocate(runtime.host_->user, block, total);
}

bool Runtime::HasRoom(uint64_t bytes) const {
  void* probe = bytes == 0 ? nullptr : host_->allocate(host_->user, bytes);
  if (probe != nullptr) host_->deallocate(host_->user, probe, bytes);
  return bytes == 0 || probe != nullptr;
}

const OrtMemoryInfo* Runtime::Info(const OrtAllocator* self) {
  return static_cast<const Allocator*>(self)->runtime->cpu_;
}

}  // namespace redoubt::backends::onnx
