#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::history {

using MetricValues = std::vector<std::pair<int64_t, double>>;  // metric number, value

// The stored form of one point's values: for each, its metric's number (2 bytes) and an IEEE double, little-endian.
std::string EncodeValues(const MetricValues& values);
// What is cut off is left out.
MetricValues DecodeValues(std::string_view bytes);

}  // namespace redoubt::history
