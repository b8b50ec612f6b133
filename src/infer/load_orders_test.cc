// Vendors' libraries in one process, whichever comes first: each is loaded and runs a model, in every order, each order
// in a process of its own. The backends are those of this build; with all of them there are six orders.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "infer/backend_registry.h"
#include "infer/model.h"
#include "infer/tiny_onnx_for_test.h"
#include "infer/tiny_tf_for_test.h"

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;
using Order = std::vector<std::string>;

Order BuiltBackends() {
  Order names;
  std::istringstream list(REDOUBT_BUILT_BACKENDS);
  for (std::string name; std::getline(list, name, ',');) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Order> Orders() {
  std::vector<Order> orders;
  Order order = BuiltBackends();
  do {
    orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return orders;
}

// A model of one input and one output that doubles what it gets, or, for TF, squares it.
std::string BlobFor(const std::string& backend) {
  if (backend == "ONNX") return tiny_onnx::Doubler();
  if (backend == "TF") {
    return tiny_tf::Graph(tiny_tf::Placeholder("x", tiny_tf::kFloat, {-1, 2}) +
                          tiny_tf::Node("y", "Mul", {"x", "x"}, tiny_tf::TypeAttribute("T", tiny_tf::kFloat)));
  }
  std::ifstream file(REDOUBT_TORCH_MODELS "/double.pt", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What went wrong; empty when nothing did.
std::string RunOne(BackendRegistry& registry, const std::string& backend) {
  const std::string blob = BlobFor(backend);
  ModelSpec spec;
  spec.backend = backend;
  spec.blob = std::as_bytes(std::span(blob.data(), blob.size()));
  if (backend == "TF") {
    spec.inputs = {"x"};
    spec.outputs = {"y"};
  }
  auto model = Model::Build(registry, spec);
  if (!model.ok()) return backend + ": " + model.status().message();
  const float values[] = {2, 2};
  auto input = Tensor::FromBlob(DType::kFloat32, {1, 2}, std::as_bytes(std::span(values)), base::DefaultMemory());
  if (!input.ok()) return input.status().message();
  const Tensor::Ptr tensor = *input;
  auto outputs = (*model)->Run({&tensor, 1});
  if (!outputs.ok()) return backend + ": " + outputs.status().message();
  const auto result = (*outputs)[0]->As<float>();
  return result[0] == 4 && result[1] == 4 ? "" : backend + ": wrong result";
}

// Ends the process: 0 when all went well, also after the vendors' own work at exit.
[[noreturn]] void RunInOrder(const Order& order) {
  static auto* registry = new BackendRegistry({.directory = REDOUBT_BACKENDS_DIR});
  std::string problem;
  // Twice, so that each has run after all the others were there.
  for (int round = 0; round < 2; ++round) {
    for (const std::string& backend : order) {
      if (problem.empty()) problem = RunOne(*registry, backend);
    }
  }
  std::fprintf(stderr, "%s\n", problem.c_str());
  std::exit(problem.empty() ? 0 : 1);
}

std::string NameOf(const ::testing::TestParamInfo<Order>& info) {
  std::string name;
  for (const std::string& backend : info.param) name += (name.empty() ? "" : "_") + backend;
  return name;
}

class LoadOrdersTest : public ::testing::TestWithParam<Order> {};

TEST_P(LoadOrdersTest, EachRunsItsModel) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a new program for each order, not a fork of this one
  EXPECT_EXIT(RunInOrder(GetParam()), ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Backends, LoadOrdersTest, ::testing::ValuesIn(Orders()), &NameOf);

}  // namespace
}  // namespace redoubt::infer
