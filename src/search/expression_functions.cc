#include "search/expression_functions.h"

#include <array>
#include <cmath>
#include <limits>

#include "search/args.h"

namespace redoubt::search {
namespace {

using Arguments = std::span<const Value>;

// What has no number has no logarithm either, but that is no reason to refuse the whole query.
template <double (*kFunction)(double)>
Result<Value> OfNumber(Arguments arguments) {
  return Value(kFunction(arguments[0].ToNumber().value_or(std::numeric_limits<double>::quiet_NaN())));
}

double Log(double x) { return std::log(x); }
double Log2(double x) { return std::log2(x); }
double Abs(double x) { return std::abs(x); }
double Ceil(double x) { return std::ceil(x); }
double Floor(double x) { return std::floor(x); }
double Exp(double x) { return std::exp(x); }
double Sqrt(double x) { return std::sqrt(x); }

constexpr std::array kFunctions = {
    ExpressionFunction{"log", 1, 1, &OfNumber<&Log>},
    ExpressionFunction{"log2", 1, 1, &OfNumber<&Log2>},
    ExpressionFunction{"abs", 1, 1, &OfNumber<&Abs>},
    ExpressionFunction{"ceil", 1, 1, &OfNumber<&Ceil>},
    ExpressionFunction{"floor", 1, 1, &OfNumber<&Floor>},
    ExpressionFunction{"exp", 1, 1, &OfNumber<&Exp>},
    ExpressionFunction{"sqrt", 1, 1, &OfNumber<&Sqrt>},
    ExpressionFunction{"exists", 1, 1, nullptr, ExpressionFunction::Lazy::kExists},
    ExpressionFunction{"case", 3, 3, nullptr, ExpressionFunction::Lazy::kCase},
};

}  // namespace

const ExpressionFunction* FindExpressionFunction(std::string_view name) {
  for (std::span<const ExpressionFunction> group :
       {std::span<const ExpressionFunction>(kFunctions), TextFunctions(), TimeFunctions()}) {
    for (const ExpressionFunction& function : group) {
      if (EqualsIgnoringCase(function.name, name)) return &function;
    }
  }
  return nullptr;
}

}  // namespace redoubt::search
