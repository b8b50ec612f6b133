#pragma once

#include "base/json_fwd.h"
#include "base/status.h"
#include "server/kb/entry.h"

namespace redoubt::kb {

// Readies `after`, built from `sent`, to take the place of `before`.
//
// InvalidArgument where plain strings would wipe out a language: an entry in both languages that was read with ?lang=
// and is sent back. An entry as the API shows it ("languages" is there) fills the gaps of one language with the other;
// texts that come back unchanged keep the languages they were written in.
base::Status TakeOver(const Entry& before, const base::Json& sent, Entry& after);

}  // namespace redoubt::kb
