#include "server/diagnose/atom_finder.h"

#include <algorithm>
#include <deque>

namespace redoubt::diagnose {

AtomFinder::AtomFinder(const std::vector<std::string>& atoms) {
  for (const std::string& atom : atoms) {
    for (unsigned char c : atom) {
      if (column_of_[c] == 0) column_of_[c] = static_cast<uint8_t>(std::min<size_t>(columns_++, 255));
    }
  }
  for (char c = 'A'; c <= 'Z'; ++c)
    column_of_[static_cast<unsigned char>(c)] = column_of_[static_cast<unsigned char>(c - 'A' + 'a')];
  auto add_state = [this] {
    next_.resize(next_.size() + columns_, 0);
    atom_at_.push_back(-1);
    shorter_.push_back(0);
    return static_cast<uint32_t>(atom_at_.size() - 1);
  };
  add_state();
  for (size_t i = 0; i < atoms.size(); ++i) {
    uint32_t state = 0;
    for (unsigned char c : atoms[i]) {
      size_t slot = state * columns_ + column_of_[c];
      if (next_[slot] == 0) {
        uint32_t fresh = add_state();
        next_[slot] = fresh;
      }
      state = next_[slot];
    }
    if (state != 0) atom_at_[state] = static_cast<int32_t>(i);
  }
  // Breadth first: a state's failure state is shorter and thus already complete.
  std::vector<uint32_t> failure(atom_at_.size(), 0);
  std::deque<uint32_t> queue;
  for (size_t c = 0; c < columns_; ++c) {
    if (next_[c] != 0) queue.push_back(next_[c]);
  }
  while (!queue.empty()) {
    uint32_t state = queue.front();
    queue.pop_front();
    uint32_t back = failure[state];
    shorter_[state] = atom_at_[back] >= 0 ? back : shorter_[back];
    for (size_t c = 0; c < columns_; ++c) {
      uint32_t& next = next_[state * columns_ + c];
      if (next != 0) {
        failure[next] = next_[back * columns_ + c];
        queue.push_back(next);
      } else {
        next = next_[back * columns_ + c];
      }
    }
  }
}

void AtomFinder::Find(std::string_view text, std::vector<int>& out) const {
  out.clear();
  uint32_t state = 0;
  for (unsigned char c : text) {
    state = Next(state, column_of_[c]);
    uint32_t end = atom_at_[state] >= 0 ? state : shorter_[state];
    for (; end != 0; end = shorter_[end]) out.push_back(atom_at_[end]);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace redoubt::diagnose
