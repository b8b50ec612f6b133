#include <algorithm>
#include <cmath>
#include <limits>

#include "server/alert/expression_node.h"

namespace redoubt::alert {
namespace {

using Kind = Expression::Node::Kind;
using Window = std::vector<TimedValue>;

constexpr size_t kMaxPoints = 4000;

// A counter that fell was reset by a restart: what it shows since then was counted since then.
double Increase(const Window& window) {
  double increase = 0;
  for (size_t i = 1; i < window.size(); ++i) {
    double step = window[i].value - window[i - 1].value;
    increase += step >= 0 ? step : window[i].value;
  }
  return increase;
}

// Linear between the two nearest ranks.
double Percentile99(const Window& window) {
  std::vector<double> values;
  for (const TimedValue& point : window) values.push_back(point.value);
  std::sort(values.begin(), values.end());
  double rank = 0.99 * static_cast<double>(values.size() - 1);
  size_t below = static_cast<size_t>(rank);
  size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (rank - static_cast<double>(below)) * (values[above] - values[below]);
}

// The lows of the three thirds rise: noise alone does not do that for long.
std::optional<double> Growing(const Window& window, int64_t now_ms, int64_t length_ms) {
  if (window.empty() || now_ms - window.front().at_ms < length_ms * 9 / 10) return std::nullopt;
  double lows[3];
  std::fill(std::begin(lows), std::end(lows), std::numeric_limits<double>::infinity());
  int64_t begin_ms = now_ms - length_ms;
  for (const TimedValue& point : window) {
    int64_t third = std::clamp<int64_t>((point.at_ms - begin_ms) * 3 / std::max<int64_t>(length_ms, 1), 0, 2);
    lows[third] = std::min(lows[third], point.value);
  }
  return lows[0] < lows[1] && lows[1] < lows[2] && std::isfinite(lows[2]) ? 1 : 0;
}

double Fold(Kind kind, const Window& window) {
  double sum = 0, low = window[0].value, high = window[0].value;
  for (const TimedValue& point : window) {
    sum += point.value;
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  if (kind == Kind::kMax) return high;
  if (kind == Kind::kMin) return low;
  return kind == Kind::kAvg ? sum / static_cast<double>(window.size()) : sum;
}

// The window holds only the moment at which the truth began.
std::optional<double> HeldSeconds(Window& window, std::optional<double> newest, int64_t now_ms) {
  if (!newest) return std::nullopt;
  if (*newest == 0) {
    window.clear();
    return 0;
  }
  if (window.empty()) window.push_back({now_ms, 1});
  return static_cast<double>(now_ms - window[0].at_ms) / 1000.0;
}

bool NeedsABaseline(Kind kind) { return kind == Kind::kDelta || kind == Kind::kRate || kind == Kind::kChange; }

// Differences need the last point before the window too, unless a gap makes it speak of another time.
void DropOld(Window& window, int64_t begin_ms, int64_t slack_ms, bool baseline) {
  size_t first = 0;
  while (first < window.size() && window[first].at_ms < begin_ms) ++first;
  if (baseline && first > 0 && window[first - 1].at_ms >= begin_ms - slack_ms) --first;
  window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(first));
  if (window.size() > kMaxPoints) window.erase(window.begin());
}

}  // namespace

std::optional<double> AnswerFromWindow(Kind kind, Window& window, std::optional<double> newest, const Facts& facts,
                                       double seconds) {
  int64_t now_ms = facts.now_ms();
  if (!window.empty() && window.back().at_ms > now_ms) window.clear();  // the clock was set back
  if (kind == Kind::kHeld) return HeldSeconds(window, newest, now_ms);
  int64_t length_ms = static_cast<int64_t>(seconds * 1000);
  if (newest) window.push_back({now_ms, *newest});
  DropOld(window, now_ms - length_ms, int64_t{facts.interval_ms()} * 3 / 2, NeedsABaseline(kind));
  if (window.empty()) return std::nullopt;
  if (kind == Kind::kGrowing) return Growing(window, now_ms, length_ms);
  if (kind == Kind::kP99) return window.size() < 3 ? std::nullopt : std::optional(Percentile99(window));
  if (!NeedsABaseline(kind)) return Fold(kind, window);
  if (window.size() < 2) return std::nullopt;
  if (kind == Kind::kChange) return window.back().value - window.front().value;
  double increase = Increase(window);
  if (kind == Kind::kDelta) return increase;
  double span_s = static_cast<double>(window.back().at_ms - window.front().at_ms) / 1000.0;
  return span_s > 0 ? std::optional(increase / span_s) : std::nullopt;
}

}  // namespace redoubt::alert
