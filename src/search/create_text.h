#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "search/args.h"
#include "search/schema.h"

namespace redoubt::search {

// What FT.CREATE says of text: a field's options behind TEXT, LANGUAGE and STOPWORDS of the index.

// Steps over the options that only TEXT has: WEIGHT, NOSTEM, WITHSUFFIXTRIE.
Status ParseTextField(ArgCursor& args, Field& field);
void AppendTextField(const Field& field, std::vector<std::string>& args);

// True when LANGUAGE, LANGUAGE_FIELD or STOPWORDS came next.
Result<bool> TakeTextDefinition(ArgCursor& args, IndexDefinition& definition);
void AppendTextDefinition(const IndexDefinition& definition, std::vector<std::string>& args);

// Languages go by their names in lower case; `name` need not be known.
std::string LanguageName(std::string_view text);
bool IsLanguage(const std::string& name);

// A language that FT.CREATE and FT.SEARCH take, in lower case.
Result<std::string> ParseLanguage(ArgCursor& args);

// WEIGHT and $weight: a factor of scores.
std::optional<double> ParseWeight(std::string_view text);

}  // namespace redoubt::search
