#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::monitor {

// The fields of one INFO answer, or of an INFO text that somebody pasted. A value: copies are independent, reading is
// safe on many threads. Views that it hands out live as long as the object is neither changed nor destroyed.
// Any bytes are accepted: lines that are not `name:value` are skipped, at most kMaxFields are kept, and of a repeated
// name the first counts.
class InfoFields {
 public:
  static constexpr size_t kMaxFields = 20'000;
  static constexpr size_t kMaxBytes = 8u << 20;

  struct Field {
    std::string_view name;
    std::string_view value;
    std::string_view section;  // "Memory" of "# Memory"; empty before the first heading and for Set() fields
  };

  static InfoFields Parse(std::string_view text);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  std::optional<std::string_view> Text(std::string_view name) const;
  // Nothing when the field is absent or no finite number ("1.5M", "-nan"); a trailing % is dropped.
  std::optional<double> Number(std::string_view name) const;
  // A part of a compound field: Sub("errorstat_OOM", "count"), Sub("db0", "keys"), SubText("slave0", "ip").
  std::optional<double> Sub(std::string_view name, std::string_view key) const;
  std::optional<std::string_view> SubText(std::string_view name, std::string_view key) const;

  // Adds the field or replaces its value.
  void Set(std::string_view name, std::string_view value);

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  Field at(size_t index) const;  // in the order of the text

  class Iterator {
   public:
    Iterator(const InfoFields* fields, size_t index) : fields_(fields), index_(index) {}
    Field operator*() const { return fields_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const InfoFields* fields_;
    size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, fields_.size()}; }

 private:
  // Offsets instead of views, so that copies and moves need no repair.
  struct Slice {
    uint32_t offset = 0;
    uint32_t size = 0;
  };
  struct Entry {
    Slice name, value, section;
  };

  std::string_view View(Slice slice) const { return std::string_view(text_).substr(slice.offset, slice.size); }
  Slice Append(std::string_view bytes);
  const Entry* Find(std::string_view name) const;
  void Index();

  std::string text_;
  std::vector<Entry> fields_;
  std::vector<uint32_t> by_name_;  // indexes into fields_, sorted by name
};

// Splits "calls=1,usec=2" and gives the value of `key`.
std::optional<std::string_view> CompoundValue(std::string_view compound, std::string_view key);
// A whole finite decimal number, a trailing % allowed.
std::optional<double> ParseNumber(std::string_view text);

}  // namespace redoubt::monitor
