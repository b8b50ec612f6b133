#include "module/ft/error_codes.h"

#include <fmt/core.h>

#include <cctype>

#include "module/host/command.h"
#include "module/host/config.h"

namespace redoubt::ft {
namespace {

struct CodeOfText {
  std::string_view begin;
  std::string_view code;
};

constexpr CodeOfText kByBeginning[] = {
    {"Index already exists", "SEARCH_INDEX_EXISTS"},
    {"Unknown index name", "SEARCH_INDEX_NOT_FOUND"},
    {"Unknown Index name", "SEARCH_INDEX_NOT_FOUND"},
    {"Error parsing vector similarity query: query vector blob size", "SEARCH_QUERY_BAD"},
    {"No such parameter `", "SEARCH_PARAM_NOT_FOUND"},
    {"Duplicate parameter `", "SEARCH_PARAM_DUP"},
    {"Parameters must be specified in PARAM VALUE pairs", "SEARCH_PARAM_DUP"},
    {"Syntax error at offset ", "SEARCH_SYNTAX"},
    {"Property `", "SEARCH_PROP_NOT_FOUND"},  // but for "already exists"
    {"LIMIT exceeds maximum of ", "SEARCH_LIMIT_OVER"},
    {"Unknown argument `", "SEARCH_ARG_UNRECOGNIZED"},
    {"Bad arguments for vector similarity ", "SEARCH_PARSE_ARGS"},
    {"Alias already exists", "SEARCH_ALIAS_CONFLICT"},
    {"Timeout limit was reached", "SEARCH_TIMEOUT"},
};

// What follows "Error parsing vector similarity parameters: ", and what it says with a code.
struct ParameterError {
  std::string_view text;
  std::string_view with_code;
};

constexpr std::string_view kParameters = "Error parsing vector similarity parameters";
constexpr ParameterError kParameterErrors[] = {
    {"Invalid value was given", "SEARCH_VALUE_BAD Invalid value was given"},
    {"Invalid option", "SEARCH_OPTION_INVALID Invalid option"},
    {"hybrid query attributes were sent for a non-hybrid query",
     "SEARCH_HYBRID_ATTR_NON_HYBRID hybrid query attributes were sent for a non-hybrid query"},
    {"'batch size' is irrelevant for 'ADHOC_BF' policy",
     "SEARCH_ADHOC_BATCH_SIZE_IRRELEVANT 'batch size' is irrelevant for the selected policy"},
    {"'EF_RUNTIME' is irrelevant for 'ADHOC_BF' policy",
     "SEARCH_ADHOC_EF_RUNTIME_IRRELEVANT 'EF_RUNTIME' is irrelevant for the selected policy"},
    {"invalid hybrid policy was given", "SEARCH_HYBRID_POLICY_BAD invalid hybrid policy was given"},
};

std::string ParameterText(std::string_view text) {
  const std::string_view why = text.substr(kParameters.size() + 2);
  for (const ParameterError& error : kParameterErrors) {
    if (why == error.text) return fmt::format("{} ({})", error.with_code, kParameters);
  }
  return std::string(text);
}

// "... HNSW index dim: ..." is "... HNSW index `DIM`: ...".
std::string WithMarkedName(std::string_view text) {
  constexpr std::string_view kIndex = " index ";
  const size_t at = text.find(kIndex);
  const size_t end = text.find(':');
  if (at == std::string_view::npos || end == std::string_view::npos || end < at) return std::string(text);
  std::string name(text.substr(at + kIndex.size(), end - at - kIndex.size()));
  for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return fmt::format("{}`{}`{}", text.substr(0, at + kIndex.size()), name, text.substr(end));
}

}  // namespace

base::Status RegisterFtSettings(host::Context& on_load) {
  // Never destroyed: the server writes to it until the process ends.
  auto* settings = new FtSettings;
  host::StateOf<FtSettings>::value = settings;
  return host::RegisterConfig(on_load, host::BoolConfig{"ft-error-codes", false, &settings->error_codes});
}

std::string WithErrorCode(std::string_view text) {
  if (text.ends_with(": no such index")) return fmt::format("SEARCH_INDEX_NOT_FOUND {}", text);
  if (text.ends_with("already exists in schema")) return std::string(text);
  if (text.starts_with(kParameters) && text.substr(kParameters.size()).starts_with(": ")) return ParameterText(text);
  for (const CodeOfText& known : kByBeginning) {
    if (text.starts_with(known.begin))
      return fmt::format("{} {}", known.code,
                         known.code == "SEARCH_PARSE_ARGS" ? WithMarkedName(text) : std::string(text));
  }
  return std::string(text);
}

}  // namespace redoubt::ft
