#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "server/diagnose/compose.h"
#include "server/diagnose/version.h"

namespace redoubt::diagnose {
namespace {

constexpr size_t kMaxCommands = 8;
constexpr size_t kChecksKept = 2;

bool For(const std::vector<std::string>& slugs, const std::string& slug) {
  return slugs.empty() || std::find(slugs.begin(), slugs.end(), slug) != slugs.end();
}

bool VersionFits(const kb::Action& action, const std::string& version) {
  if (version.empty()) return true;
  if (!action.min_version.empty() && VersionBelow(version, action.min_version)) return false;
  return action.max_version.empty() || VersionBelow(version, action.max_version);
}

// A command as it may be offered; nothing when the guard keeps it back.
std::optional<Command> Offer(const ComposeInput& input, const kb::Action& action) {
  if (!VersionFits(action, input.guard_context.version)) return std::nullopt;
  base::Lang lang = input.lang;
  Command out{action.cmd.In(lang),         action.where,        action.risk, action.why.In(lang),
              action.check_first.In(lang), action.undo.In(lang)};
  Verdict verdict = input.guard.Check(out.cmd, input.guard_context);
  switch (verdict.kind) {
    case Verdict::Kind::kNever:
      return std::nullopt;
    case Verdict::Kind::kRefused:
      if (verdict.instead.In(lang).empty()) return std::nullopt;
      out.cmd = verdict.instead.In(lang);
      out.why = fmt::format("{} {}", action.why.In(lang), verdict.reason.In(lang));
      out.where = input.guard_context.managed.empty() ? "config-file" : "provider";
      out.undo.clear();
      return out;
    case Verdict::Kind::kDataLoss:
      out.risk = "data-loss";
      if (out.cmd.find('#') == std::string::npos) out.cmd += "  # " + verdict.precondition.In(lang);
      if (out.check_first.empty()) out.check_first = verdict.precondition.In(lang);
      return out;
    case Verdict::Kind::kOffer:
      return out;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Command> OfferedCommands(const ComposeInput& input, const std::vector<const Candidate*>& chain) {
  std::vector<Command> fixes, checks;
  std::set<std::string> seen;
  // The primary first, then what the others of the chain add.
  for (const Candidate* candidate : chain) {
    const RuleMode& mode = input.rules.modes()[candidate->mode];
    for (const kb::Action& action : mode.entry->actions) {
      if (action.use == "verify" || !For(action.failure_modes, mode.mode->slug)) continue;
      std::optional<Command> command = Offer(input, action);
      if (!command || !seen.insert(command->cmd).second) continue;
      (action.use == "fix" ? fixes : checks).push_back(std::move(*command));
    }
  }
  size_t room = kMaxCommands - std::min(kChecksKept, checks.size());
  if (fixes.size() > room) fixes.resize(room);
  for (Command& check : checks) {
    if (fixes.size() >= kMaxCommands) break;
    fixes.push_back(std::move(check));
  }
  return fixes;
}

}  // namespace redoubt::diagnose
