#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "server/diagnose/analysis.h"

namespace redoubt::llm {
class Provider;
}

namespace redoubt::diagnose {

// What is left of a model's words after they were held against the evidence.
struct CheckedText {
  std::string text;
  size_t dropped = 0;  // sentences that cited nothing, cited what is not there, or brought numbers of their own
};

// Keeps the sentences that cite evidence as [n] and whose numbers all occur in the evidence.
CheckedText KeepGrounded(std::string_view text, const std::vector<Evidence>& evidence);

// Lets the model put the finding into words. Only summary changes, and only by grounded sentences; on any failure the
// finding stays as it was and the returned use names the error.
LlmUse Explain(llm::Provider& provider, std::chrono::milliseconds deadline, base::Lang lang, Finding& finding,
               const std::function<void(std::string_view)>& on_delta);

}  // namespace redoubt::diagnose
