#pragma once

#include <string>
#include <vector>

#include "search/args.h"
#include "search/schema.h"

namespace redoubt::search {

// What FT.CREATE says of text: a field's options behind TEXT, LANGUAGE and STOPWORDS of the index.

// Steps over the options that only TEXT has: WEIGHT, NOSTEM, WITHSUFFIXTRIE.
Status ParseTextField(ArgCursor& args, Field& field);
void AppendTextField(const Field& field, std::vector<std::string>& args);

// True when LANGUAGE or STOPWORDS came next.
Result<bool> TakeTextDefinition(ArgCursor& args, IndexDefinition& definition);
void AppendTextDefinition(const IndexDefinition& definition, std::vector<std::string>& args);

// A language that FT.CREATE and FT.SEARCH take, in lower case.
Result<std::string> ParseLanguage(ArgCursor& args);

// WEIGHT and $weight: a factor of scores.
std::optional<double> ParseWeight(std::string_view text);

}  // namespace redoubt::search
