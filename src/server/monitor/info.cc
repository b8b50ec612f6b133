#include "server/monitor/info.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace redoubt::monitor {
namespace {

constexpr size_t kMaxNameBytes = 128;

std::string_view Trim(std::string_view text) {
  const char* blanks = " \t\r";
  size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return text.substr(0, 0);  // callers ask where in the text that is
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// INFO names are identifiers; cmdstat_ ones carry command names ("client|setname", "ft.search", "graph-x").
bool IsFieldName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '|';
  });
}

}  // namespace

std::optional<std::string_view> CompoundValue(std::string_view compound, std::string_view key) {
  while (!compound.empty()) {
    std::string_view part = compound.substr(0, compound.find(','));
    size_t equals = part.find('=');
    if (equals != std::string_view::npos && Trim(part.substr(0, equals)) == key) return part.substr(equals + 1);
    compound.remove_prefix(std::min(compound.size(), part.size() + 1));
  }
  return std::nullopt;
}

std::optional<double> ParseNumber(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && text.back() == '%') text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

InfoFields InfoFields::Parse(std::string_view text) {
  InfoFields info;
  text = text.substr(0, kMaxBytes);
  info.text_ = std::string(text);
  Slice section;
  size_t position = 0;
  while (position < text.size() && info.fields_.size() < kMaxFields) {
    size_t newline = std::min(text.find('\n', position), text.size());
    std::string_view line = Trim(text.substr(position, newline - position));
    position = newline + 1;
    auto slice = [&](std::string_view part) {
      return Slice{static_cast<uint32_t>(part.data() - text.data()), static_cast<uint32_t>(part.size())};
    };
    if (line.starts_with('#')) {
      section = slice(Trim(line.substr(1)));
      continue;
    }
    size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsFieldName(line.substr(0, colon))) continue;
    info.fields_.push_back({slice(line.substr(0, colon)), slice(line.substr(colon + 1)), section});
  }
  info.Index();
  return info;
}

void InfoFields::Index() {
  by_name_.resize(fields_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::stable_sort(by_name_.begin(), by_name_.end(),
                   [this](uint32_t a, uint32_t b) { return View(fields_[a].name) < View(fields_[b].name); });
  auto last = std::unique(by_name_.begin(), by_name_.end(),
                          [this](uint32_t a, uint32_t b) { return View(fields_[a].name) == View(fields_[b].name); });
  by_name_.erase(last, by_name_.end());
  if (by_name_.size() == fields_.size()) return;
  // Repeated names leave the iteration too, so that what is listed is what is looked up.
  std::vector<uint32_t> kept = by_name_;
  std::sort(kept.begin(), kept.end());
  std::vector<Entry> entries;
  entries.reserve(kept.size());
  for (uint32_t index : kept) entries.push_back(fields_[index]);
  fields_ = std::move(entries);
  Index();
}

const InfoFields::Entry* InfoFields::Find(std::string_view name) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [this](uint32_t index, std::string_view key) { return View(fields_[index].name) < key; });
  if (at == by_name_.end() || View(fields_[*at].name) != name) return nullptr;
  return &fields_[*at];
}

std::optional<std::string_view> InfoFields::Text(std::string_view name) const {
  const Entry* entry = Find(name);
  if (entry == nullptr) return std::nullopt;
  return View(entry->value);
}

std::optional<double> InfoFields::Number(std::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? std::nullopt : ParseNumber(View(entry->value));
}

std::optional<std::string_view> InfoFields::SubText(std::string_view name, std::string_view key) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? std::nullopt : CompoundValue(View(entry->value), key);
}

std::optional<double> InfoFields::Sub(std::string_view name, std::string_view key) const {
  std::optional<std::string_view> text = SubText(name, key);
  return text ? ParseNumber(*text) : std::nullopt;
}

InfoFields::Slice InfoFields::Append(std::string_view bytes) {
  Slice slice{static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(bytes.size())};
  text_ += bytes;
  return slice;
}

void InfoFields::Set(std::string_view name, std::string_view value) {
  // The arguments may be views into text_, which grows below.
  std::string name_copy(name), value_copy(value);
  if (const Entry* entry = Find(name_copy)) {
    fields_[static_cast<size_t>(entry - fields_.data())].value = Append(value_copy);
    return;
  }
  fields_.push_back({Append(name_copy), Append(value_copy), Slice{}});
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), std::string_view(name_copy),
                             [this](uint32_t index, std::string_view key) { return View(fields_[index].name) < key; });
  by_name_.insert(at, static_cast<uint32_t>(fields_.size() - 1));
}

InfoFields::Field InfoFields::at(size_t index) const {
  const Entry& entry = fields_[index];
  return {View(entry.name), View(entry.value), View(entry.section)};
}

}  // namespace redoubt::monitor
