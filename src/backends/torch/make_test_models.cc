// Writes the TorchScript models of the tests, DIRECTORY/<name>.pt: libtorch compiles and saves them itself, so that no
// Python with torch is needed and no model file lies in the tree.
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

struct TestModel {
  const char* name;
  const char* source;
};

// Every module also has the attributes w (64 floats of 0.5), last (a tensor) and m (a 64x64 unit matrix).
constexpr TestModel kModels[] = {
    {"add", "def forward(self, a, b):\n    return a + b\n"},
    {"double", "def forward(self, x):\n    return x * 2\n"},
    {"sum_and_product", "def forward(self, a, b):\n    return a + b, a * b\n"},
    {"mlp", "def forward(self, x):\n    return torch.mm(torch.relu(torch.mm(x, self.m)), self.m)[:, :8]\n"},
    {"identity", "def forward(self, x):\n    return x\n"},
    {"part", "def forward(self, x):\n    return x[0], x.t()\n"},
    {"in_place", "def forward(self, x):\n    return x.add_(1)\n"},
    {"in_place_part", "def forward(self, x):\n    y = x[0]\n    y.mul_(3)\n    return x.sum()\n"},
    {"keeps", "def forward(self, x):\n    before = self.last\n    self.last = x\n    return before\n"},
    {"weight", "def forward(self, x):\n    self.w.add_(1)\n    return self.w\n"},
    {"list", "def forward(self, x):\n    return [x, x + 1, x + 2]\n"},
    {"rows", "def forward(self, x) -> List[Tensor]:\n    return [r for r in x.unbind(0)]\n"},
    {"dict", "def forward(self, x):\n    return {'one': x, 'two': x.sum()}\n"},
    {"nested", "def forward(self, x):\n    return (x, (x + 1, 7, 2.5, True))\n"},
    {"text", "def forward(self, x):\n    return ['a', 'b']\n"},
    {"nothing", "def forward(self, x) -> Optional[Tensor]:\n    return None\n"},
    {"complex", "def forward(self, x):\n    return torch.view_as_complex(x)\n"},
    {"sparse", "def forward(self, x):\n    return x.to_sparse()\n"},
    {"scaled", "def forward(self, x, scale: float = 3.0, y: Optional[Tensor] = None):\n    return x * scale\n"},
    {"needs_int", "def forward(self, x, n: int):\n    return x * n\n"},
    {"positive", "def forward(self, x):\n    assert bool((x > 0).all()), 'not all are positive'\n    return x\n"},
    {"prints", "def forward(self, x):\n    print('hello from forward', x.sum())\n    return x + 1\n"},
    {"endless", "def forward(self, x):\n    n = 0\n    while n >= 0:\n        n = (n + 1) % 7\n    return x + n\n"},
    // Some tenths of a millisecond per step.
    {"slow",
     "def forward(self, x):\n    y = self.m\n    for i in range(int(x.sum().item()) * 20):\n"
     "        y = torch.mm(y, self.m)\n    return y.sum()\n"},
    {"saves", "def forward(self, x):\n    torch.save(x, 'written-by-a-model')\n    return x\n"},
    {"reads", "def forward(self, x):\n    return x + torch.from_file('/proc/self/status', None, 4)\n"},
    {"saves_while_loading",
     "def forward(self, x):\n    return x\n"
     "def __getstate__(self):\n    return (1, self.training)\n"
     "def __setstate__(self, state: Tuple[int, bool]):\n    torch.save(state, 'written-by-a-model')\n"
     "    self.training = state[1]\n"},
    {"no_forward", "def other(self, x):\n    return x\n"},
};

void Write(const TestModel& model, const std::string& directory) {
  torch::jit::Module module(model.name);
  module.register_parameter("w", at::full({64}, 0.5), /*is_buffer=*/false);
  module.register_attribute("last", c10::TensorType::get(), at::zeros({2}));
  module.register_buffer("m", at::eye(64));
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(model.source);
  module.save(directory + "/" + model.name + ".pt");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_test_models DIRECTORY\n");
    return 2;
  }
  for (const TestModel& model : kModels) {
    try {
      Write(model, argv[1]);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", model.name, e.what());
      return 1;
    }
  }
  return 0;
}
