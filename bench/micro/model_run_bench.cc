// The bare call of a backend: redoubt_model_run_bench MODEL.onnx BACKENDS_FOLDER [ROWS]
// Runs the model on zeros of its input's shape, with ROWS (1) where a size is open, and prints
// {"p50_us": ..., "mean_us": ..., "cpu_us": ...}: what AI.MODELEXECUTE is compared with by the benches of bench/flow.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/memory.h"
#include "infer/backend_registry.h"
#include "infer/model.h"
#include "tensor/tensor.h"

namespace {

using redoubt::infer::BackendRegistry;
using redoubt::infer::Model;
using redoubt::tensor::DType;
using redoubt::tensor::Tensor;

constexpr int kRuns = 20'000;

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

redoubt::base::Status Measure(const std::string& model_file, const std::string& backends, int64_t rows) {
  std::ifstream file(model_file, std::ios::binary);
  const std::string blob{std::istreambuf_iterator<char>(file), {}};
  BackendRegistry::Options options;
  options.directory = backends;
  options.threads = 1;
  auto& registry = *new BackendRegistry(options);  // lives as long as the process
  redoubt::infer::ModelSpec spec;
  spec.backend = "ONNX";
  spec.blob = std::as_bytes(std::span(blob));
  ASSIGN_OR_RETURN(const auto model, Model::Build(registry, spec));

  std::vector<int64_t> shape = model->inputs().at(0).shape.value_or(std::vector<int64_t>{});
  for (int64_t& size : shape) size = size < 1 ? rows : size;
  ASSIGN_OR_RETURN(const Tensor::Ptr input, Tensor::Create(model->inputs().at(0).dtype.value_or(DType::kFloat32), shape,
                                                           redoubt::base::DefaultMemory()));
  std::vector<double> micros;
  double sum = 0;
  double cpu_start = 0;
  for (int run = -1000; run < kRuns; ++run) {  // the first thousand warm up
    if (run == 0) cpu_start = CpuMicros();
    const auto start = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(const auto outputs, model->Run({&input, 1}));
    if (run >= 0) {
      micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
      sum += micros.back();
    }
  }
  const double cpu = (CpuMicros() - cpu_start) / kRuns;
  std::nth_element(micros.begin(), micros.begin() + kRuns / 2, micros.end());
  std::printf("{\"p50_us\": %.2f, \"mean_us\": %.2f, \"cpu_us\": %.2f}\n", micros[kRuns / 2], sum / kRuns, cpu);
  return redoubt::base::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: %s MODEL.onnx BACKENDS_FOLDER [ROWS]\n", argv[0]);
    return 2;
  }
  const redoubt::base::Status status = Measure(argv[1], argv[2], argc == 4 ? std::atoll(argv[3]) : 1);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
