#include "vector/element.h"
#include "vector/element_kernels.h"

namespace redoubt::vector {
namespace {

struct SameElement {
  template <class Element>
  static Element Widen(Element element) {
    return element;
  }
};

struct Half {
  static float Widen(uint16_t element) { return HalfToFloat(element); }
};

struct BFloat {
  static float Widen(uint16_t element) { return BFloatToFloat(element); }
};

struct L2Step {
  template <class Value>
  static Value Of(Value q, Value x) {
    return (q - x) * (q - x);
  }
};

struct DotStep {
  template <class Value>
  static Value Of(Value q, Value x) {
    return q * x;
  }
};

// Four sums, so that the additions do not wait for one another.
template <class Step, class Convert, class Query, class Element, class Value>
void Rows(const Query* query, const Element* rows, size_t count, size_t dim, Value* out) {
  for (size_t r = 0; r < count; ++r, rows += dim) {
    Value sum[4] = {};
    size_t i = 0;
    for (; i + 4 <= dim; i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) {
        sum[lane] += Step::template Of<Value>(query[i + lane], Convert::Widen(rows[i + lane]));
      }
    }
    for (; i < dim; ++i) sum[0] += Step::template Of<Value>(query[i], Convert::Widen(rows[i]));
    out[r] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}

void WidenHalves(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = HalfToFloat(halves[i]);
}

template <class Convert, class Query, class Element, class Value>
constexpr RowKernels<Query, Element, Value> kPair = {&Rows<L2Step, Convert, Query, Element, Value>,
                                                     &Rows<DotStep, Convert, Query, Element, Value>};

constexpr ElementKernels kScalar = {"scalar",
                                    kPair<SameElement, double, double, double>,
                                    kPair<Half, float, uint16_t, float>,
                                    kPair<BFloat, float, uint16_t, float>,
                                    kPair<SameElement, int8_t, int8_t, int32_t>,
                                    kPair<SameElement, uint8_t, uint8_t, int32_t>,
                                    &WidenHalves};

const ElementKernels* Choose() {
  if (Avx2ElementKernels() != nullptr && ProcessorHasF16c()) return Avx2ElementKernels();
  return &kScalar;
}

}  // namespace

const ElementKernels& ScalarElementKernels() { return kScalar; }

const ElementKernels& BestElementKernels() {
  static const ElementKernels* best = Choose();
  return *best;
}

}  // namespace redoubt::vector
