#include <fmt/core.h>

#include <filesystem>

#include "base/json.h"
#include "server/cli/commands.h"
#include "server/config/locations.h"
#include "server/kb/knowledge_base.h"
#include "server/store/database.h"

namespace redoubt::cli {
namespace {

// The knowledge base with the edits of the data folder, where there is one.
struct Opened {
  std::unique_ptr<store::Database> database;
  std::unique_ptr<kb::KnowledgeBase> knowledge;
};

base::Result<Opened> Open(const config::Settings& settings) {
  Opened opened;
  std::string file = settings.Text("data") + "/redoubt.db";
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    ASSIGN_OR_RETURN(opened.database, store::Database::Open(file, base::Logger()));
  }
  kb::KnowledgeBase::Deps deps;
  deps.dir = config::FindLocations(settings).knowledge;
  deps.database = opened.database.get();
  ASSIGN_OR_RETURN(opened.knowledge, kb::KnowledgeBase::Open(std::move(deps)));
  return opened;
}

int Report(const kb::LoadReport& report) {
  for (const std::string& line : report.lines) fmt::print("{}\n", line);
  fmt::print("\n{}\n", report.Summary(base::Lang::kKo));
  return report.files_failed == 0 ? 0 : 1;
}

}  // namespace

int KbLoad(const config::Settings& settings) {
  base::Result<Opened> opened = Open(settings);
  if (!opened.ok()) return Complain(opened.status().message());
  return Report(opened->knowledge->report());
}

int KbList(const config::Settings& settings, const std::string& category, bool json) {
  base::Result<Opened> opened = Open(settings);
  if (!opened.ok()) return Complain(opened.status().message());
  if (!category.empty() && !kb::IsCategory(category))
    return Complain(fmt::format("there is no category '{}'", category));
  kb::ListFilter filter;
  filter.category = category;
  base::Json entries = base::Json::array();
  for (const auto& entry : opened->knowledge->List(filter)) {
    if (json) {
      entries.push_back(kb::EntryToJson(*entry, std::nullopt));
    } else {
      fmt::print("{:<18} {:<14} {:<9} {}\n", entry->id, entry->category, entry->severity, entry->title.ko);
    }
  }
  if (json) fmt::print("{}\n", base::DumpJson(entries, 2));
  return 0;
}

int KbExport(const config::Settings& settings, const std::string& folder) {
  base::Result<Opened> opened = Open(settings);
  if (!opened.ok()) return Complain(opened.status().message());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (base::Status exported = opened->knowledge->Export(folder); !exported.ok()) return Complain(exported.message());
  fmt::print("{} entries written below {}\n", opened->knowledge->List().size(), folder);
  return 0;
}

int KbValidate(const config::Settings& settings, const std::string& folder) {
  kb::KnowledgeBase::Deps deps;
  deps.dir = folder.empty() ? config::FindLocations(settings).knowledge : folder;
  base::Result<std::unique_ptr<kb::KnowledgeBase>> knowledge = kb::KnowledgeBase::Open(std::move(deps));
  if (!knowledge.ok()) return Complain(knowledge.status().message());
  return Report((*knowledge)->report());
}

}  // namespace redoubt::cli
