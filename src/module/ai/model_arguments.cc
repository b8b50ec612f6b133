#include "module/ai/model_arguments.h"

#include <fmt/core.h>

#include <cctype>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "infer/backend_registry.h"
#include "infer/device.h"

namespace redoubt::ai {
namespace {

constexpr size_t kFirstOption = 4;

base::Status Wrong(const std::string& text) { return base::InvalidArgument("ERR " + text); }

// A cursor over the words of one command.
struct Words {
  const host::Args& args;
  size_t at = kFirstOption;

  bool done() const { return at >= args.size(); }
  bool Take(std::string_view keyword) {
    if (!args.Is(at, keyword)) return false;
    ++at;
    return true;
  }
};

base::Status ReadBackendAndDevice(const host::Args& args, ModelSource* source) {
  if (!infer::BackendRegistry::IsKnown(args[2])) return Wrong("unsupported backend");
  for (char c : args[2]) source->backend += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (!infer::NormalizeDevice(args[3]).ok()) return Wrong("Invalid DEVICE");
  source->device = std::string(args[3]);
  return base::OkStatus();
}

// [keyword n]; 0 when it is not there.
base::Status ReadNumberOption(Words& words, std::string_view keyword, bool* given, int64_t* value) {
  *given = words.Take(keyword);
  if (!*given) return base::OkStatus();
  const std::optional<int64_t> number = words.args.Integer(words.at++);
  if (!number || *number < 0) return Wrong(fmt::format("Invalid argument for {}", keyword));
  *value = *number;
  return base::OkStatus();
}

base::Status ReadTagAndBatching(Words& words, bool old_form, ModelSource* source) {
  if (words.Take("TAG")) {
    if (words.done()) return Wrong("Insufficient arguments, missing model BLOB");
    source->tag = std::string(words.args[words.at++]);
  }
  infer::Batching& batching = source->batching;
  bool given = false;
  RETURN_IF_ERROR(ReadNumberOption(words, "BATCHSIZE", &given, &batching.size));
  if (old_form && batching.size > 0 && source->backend == "TFLITE") {
    return Wrong("Auto-batching not supported by the TFLITE backend");
  }
  RETURN_IF_ERROR(ReadNumberOption(words, "MINBATCHSIZE", &given, &batching.min_size));
  if (given && batching.min_size > 0 && batching.size == 0) return Wrong("MINBATCHSIZE specified without BATCHSIZE");
  RETURN_IF_ERROR(ReadNumberOption(words, "MINBATCHTIMEOUT", &given, &batching.min_timeout_ms));
  if (given && batching.min_timeout_ms > 0) {
    if (old_form && batching.size == 0) return Wrong("MINBATCHTIMEOUT specified without BATCHSIZE");
    if (batching.min_size == 0) return Wrong("MINBATCHTIMEOUT specified without MINBATCHSIZE");
  }
  return base::OkStatus();
}

// "count name ..." after INPUTS or OUTPUTS; `what` is "input" or "output".
base::Status ReadCountedNames(Words& words, std::string_view what, std::vector<std::string>* names) {
  const std::optional<int64_t> count = words.args.Integer(words.at++);
  if (!count || *count < 0) return Wrong(fmt::format("Invalid argument for {}_count", what));
  if (std::cmp_greater(*count, words.args.size() - words.at)) {
    return Wrong(fmt::format("number of model {}s does not match the number of given arguments", what));
  }
  for (int64_t i = 0; i < *count; ++i) names->emplace_back(words.args[words.at++]);
  return base::OkStatus();
}

// FILE path
base::Status ReadFileKeyword(Words& words) {
  if (words.done()) return Wrong("FILE is not followed by a path");
  if (words.at + 1 != words.args.size()) return Wrong("FILE takes one path, which comes last");
  return base::OkStatus();
}

base::Status ReadBlobKeyword(Words& words) {
  if (words.done()) return Wrong("Insufficient arguments, missing model BLOB");
  if (!words.Take("BLOB")) return Wrong("Invalid argument, expected BLOB");
  if (words.done()) return Wrong("Insufficient arguments, missing model BLOB");
  return base::OkStatus();
}

// Whether BLOB comes next and is a tar archive, plain or compressed: a SavedModel, which names its own inputs and
// outputs. The backend looks closer; here it only matters whether names may be left out.
bool SavedModelFollows(const Words& words) {
  constexpr size_t kMagicAt = 257;  // of "ustar" in a tar archive
  constexpr std::string_view kGzip = "\x1f\x8b";
  if (!words.args.Is(words.at, "BLOB")) return false;
  std::string start;
  for (size_t i = words.at + 1; i < words.args.size() && start.size() < kMagicAt + 5; ++i) {
    start += words.args[i].substr(0, kMagicAt + 5);
  }
  return start.starts_with(kGzip) || (start.size() > kMagicAt && start.substr(kMagicAt).starts_with("ustar"));
}

base::Status ReadStoreNames(Words& words, ModelSource* source) {
  const bool needed = source->backend == "TF";
  // What a file holds only the backend will see.
  if (needed && (words.args.Is(words.at, "FILE") || SavedModelFollows(words))) return base::OkStatus();
  for (const bool is_input : {true, false}) {
    const std::string_view keyword = is_input ? "INPUTS" : "OUTPUTS";
    const bool given = words.Take(keyword);
    if (given && !needed) return Wrong(fmt::format("{} argument should not be specified for this backend", keyword));
    if (!given && needed) return Wrong(fmt::format("{} not specified for TF", keyword));
    if (!given) continue;
    RETURN_IF_ERROR(
        ReadCountedNames(words, is_input ? "input" : "output", is_input ? &source->inputs : &source->outputs));
  }
  return base::OkStatus();
}

// Old form: names up to the next keyword.
base::Status ReadSetNames(Words& words, ModelSource* source) {
  const bool needed = source->backend == "TF" && !SavedModelFollows(words);
  if (words.done()) {
    return Wrong(needed ? "Insufficient arguments, INPUTS and OUTPUTS not specified"
                        : "Insufficient arguments, missing model BLOB");
  }
  if (!words.Take("INPUTS")) return needed ? Wrong("INPUTS not specified") : base::OkStatus();
  while (!words.done() && !words.args.Is(words.at, "OUTPUTS") && !words.args.Is(words.at, "BLOB")) {
    source->inputs.emplace_back(words.args[words.at++]);
  }
  if (!words.Take("OUTPUTS")) return Wrong("OUTPUTS not specified");
  while (!words.done() && !words.args.Is(words.at, "BLOB")) source->outputs.emplace_back(words.args[words.at++]);
  return base::OkStatus();
}

base::Result<ModelArguments> Parse(const host::Args& args, bool old_form) {
  ModelArguments parsed;
  RETURN_IF_ERROR(ReadBackendAndDevice(args, &parsed.source));
  Words words{args};
  RETURN_IF_ERROR(ReadTagAndBatching(words, old_form, &parsed.source));
  if (old_form) {
    RETURN_IF_ERROR(ReadSetNames(words, &parsed.source));
  } else {
    if (words.done()) return Wrong("Insufficient arguments, missing model BLOB");
    RETURN_IF_ERROR(ReadStoreNames(words, &parsed.source));
  }
  parsed.from_file = !old_form && words.Take("FILE");
  RETURN_IF_ERROR(parsed.from_file ? ReadFileKeyword(words) : ReadBlobKeyword(words));
  parsed.first_chunk = words.at;
  return parsed;
}

}  // namespace

base::Result<ModelArguments> ParseModelStore(const host::Args& args) { return Parse(args, false); }
base::Result<ModelArguments> ParseModelSet(const host::Args& args) { return Parse(args, true); }

}  // namespace redoubt::ai
