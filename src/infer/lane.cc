#include "infer/lane.h"

namespace redoubt::infer {
namespace {

const Batching& BatchingOf(const PendingRun& run) {
  static const Batching kNone;
  return run.request.job != nullptr ? kNone : run.request.model->spec().batching;
}

// Empty for a run that is never joined with others.
std::string GroupKey(const PendingRun& run) {
  return BatchingOf(run).size > 0 && run.rows ? JoinKey(run.request.inputs) : std::string();
}

}  // namespace

void Lane::Unlist(Groups::value_type& group) {
  if (group.second.runs.empty()) return;
  const PendingRun& first = *group.second.runs.front();
  ready_.erase({first.number, &group});
  waiting_.erase({static_cast<uint64_t>(first.submitted_us + BatchingOf(first).min_timeout_ms * 1000), &group});
}

void Lane::List(Groups::value_type& group) {
  auto& [key, entry] = group;
  if (entry.runs.empty()) {
    groups_.erase(std::string(key));
    return;
  }
  const PendingRun& first = *entry.runs.front();
  const Batching& batching = BatchingOf(first);
  if (entry.single || entry.rows >= batching.min_size || entry.rows >= batching.size) {
    ready_.insert({first.number, &group});
  } else if (batching.min_timeout_ms > 0) {
    waiting_.insert({static_cast<uint64_t>(first.submitted_us + batching.min_timeout_ms * 1000), &group});
  }
}

void Lane::Push(const PendingRun::Ptr& run) {
  auto& group = *groups_.try_emplace(GroupKey(*run)).first;
  Unlist(group);
  group.second.single = group.first.empty();
  group.second.rows += run->rows.value_or(0);
  run->place = group.second.runs.insert(group.second.runs.end(), run);
  List(group);
}

void Lane::Remove(const PendingRun::Ptr& run) {
  auto& group = *groups_.find(GroupKey(*run));
  Unlist(group);
  group.second.rows -= run->rows.value_or(0);
  group.second.runs.erase(run->place);
  List(group);
}

Lane::Groups::value_type* Lane::Next(int64_t now_us) const {
  Groups::value_type* next = ready_.empty() ? nullptr : ready_.begin()->second;
  for (const auto& [due_us, group] : waiting_) {
    if (due_us > static_cast<uint64_t>(now_us)) break;
    if (next == nullptr || group->second.runs.front()->number < next->second.runs.front()->number) next = group;
  }
  return next;
}

bool Lane::CanRun(int64_t now_us, int64_t* wake_us) const {
  if (Next(now_us) != nullptr) return true;
  if (!waiting_.empty()) {
    const auto due_us = static_cast<int64_t>(waiting_.begin()->first);
    if (*wake_us == 0 || due_us < *wake_us) *wake_us = due_us;
  }
  return false;
}

RunGroup Lane::Take(int64_t now_us) {
  Groups::value_type* next = Next(now_us);
  if (next == nullptr) return {};
  Unlist(*next);
  Group& group = next->second;
  const int64_t size = BatchingOf(*group.runs.front()).size;
  RunGroup taken;
  int64_t rows = 0;
  for (auto it = group.runs.begin(); it != group.runs.end();) {
    const int64_t more = (*it)->rows.value_or(0);
    // Never more than a batch holds, but for a run that is larger by itself; smaller ones behind it may still fit.
    if (!taken.empty() && rows + more > size) {
      ++it;
      continue;
    }
    taken.push_back(*it);
    rows += more;
    group.rows -= more;
    it = group.runs.erase(it);
    if (group.single || rows >= size) break;
  }
  List(*next);
  return taken;
}

RunGroup Lane::TakeAll() {
  RunGroup all;
  for (const auto& [key, group] : groups_) all.insert(all.end(), group.runs.begin(), group.runs.end());
  groups_.clear();
  ready_.clear();
  waiting_.clear();
  return all;
}

}  // namespace redoubt::infer
