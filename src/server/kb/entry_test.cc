#include "server/kb/entry.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace redoubt::kb {
namespace {

Json Minimal() { return Json{{"id", "kb-x-001"}, {"category", "memory"}, {"severity", "high"}, {"title", "제목"}}; }

std::string ErrorOf(const Json& json) {
  auto entry = EntryFromJson(json);
  return entry.ok() ? "accepted" : entry.status().message();
}

TEST(EntryTest, TakesPlainStringsForBothLanguages) {
  Json json = Minimal();
  json["symptoms"] = {"느립니다", {{"ko", "멈춥니다"}, {"en", "it stops"}}};
  auto entry = EntryFromJson(json);
  ASSERT_TRUE(entry.ok()) << entry.status().message();
  EXPECT_EQ(entry->title.en, "제목");
  EXPECT_EQ(EntryToJson(*entry, Lang::kEn)["symptoms"][1], "it stops");
  EXPECT_EQ(EntryToJson(*entry, std::nullopt)["symptoms"][0]["en"], "느립니다");
}

TEST(EntryTest, OneLanguageStandsForTheOtherAndTheAnswerSaysSo) {
  Json json = Minimal();
  json["title"] = {{"ko", "제목"}};
  json["symptoms"] = {{{"ko", "멈춥니다"}, {"en", ""}}};
  auto entry = EntryFromJson(json);
  ASSERT_TRUE(entry.ok()) << entry.status().message();
  Json shown = EntryToJson(*entry, std::nullopt);
  EXPECT_EQ(shown["title"], (Json{{"ko", "제목"}, {"en", "제목"}}));
  EXPECT_EQ(shown["languages"], Json::array({"ko"}));
  EXPECT_EQ(EntryToJson(*entry, Lang::kEn)["symptoms"][0], "멈춥니다");
  EXPECT_EQ((*entry->document)["title"], (Json{{"ko", "제목"}})) << "what was not written is not exported";
  json["title"] = {{"ko", "제목"}, {"en", "Title"}};
  EXPECT_EQ(EntryToJson(*EntryFromJson(json), std::nullopt)["languages"], Json::array({"ko"}));
  json["symptoms"] = {{{"en", "it stops"}}, {{"ko", "느립니다"}}};
  EXPECT_EQ(EntryToJson(*EntryFromJson(json), std::nullopt)["languages"], Json::array());
  json["symptoms"] = {{{"ko", ""}, {"en", ""}}};
  EXPECT_EQ(ErrorOf(json), "symptoms[0] is empty");
  json["symptoms"] = {{{"ko", "  "}, {"en", "slow"}}};
  EXPECT_EQ(EntryFromJson(json)->symptoms[0].ko, "slow");
  EXPECT_EQ(EntryToJson(*EntryFromJson(json), std::nullopt)["languages"], Json::array({"en"}));
  json["symptoms"] = {" \n\t"};
  EXPECT_EQ(ErrorOf(json), "symptoms[0] is empty");
  json["symptoms"] = {Json::object()};
  EXPECT_NE(ErrorOf(json).find("symptoms[0] has to be a string or"), std::string::npos);
}

TEST(EntryTest, WhatWasShownOfOneLanguageComesBackAsThatOne) {
  Json json = Minimal();
  json["title"] = {{"ko", "제목"}};
  json["symptoms"] = {{{"ko", "멈춥니다"}}, {{"ko", "느립니다"}, {"en", "slow"}}};
  auto entry = EntryFromJson(json);
  for (auto lang : {std::optional<Lang>(), std::optional(Lang::kKo)}) {
    Json shown = EntryToJson(*entry, lang);
    if (lang) shown["symptoms"].erase(1);  // that view has no English to keep
    auto again = EntryFromJson(shown);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ((*again->document)["title"], (Json{{"ko", "제목"}}));
    EXPECT_EQ((*again->document)["symptoms"][0], (Json{{"ko", "멈춥니다"}}));
    if (!lang) {
      EXPECT_EQ(*again->document, *entry->document);
    }
    EXPECT_EQ(EntryToJson(*again, std::nullopt)["languages"], Json::array({"ko"}));
  }
  json["title"] = {{"ko", "Redis"}, {"en", "Redis"}};  // written in both: nothing is dropped
  json["languages"] = {"ko", "en"};
  EXPECT_EQ((*EntryFromJson(json)->document)["title"], json["title"]);
}

TEST(EntryTest, CountsCharactersAndNotBytes) {
  Json json = Minimal();
  std::string text;
  for (int i = 0; i < 8192; ++i) text += "가";
  json["symptoms"] = {text};
  EXPECT_EQ(ErrorOf(json), "accepted");
  json["symptoms"] = {text + "가"};
  EXPECT_EQ(ErrorOf(json), "symptoms[0] is longer than 8192 characters");
}

TEST(EntryTest, NamesThePlaceOfEachFault) {
  Json json = Minimal();
  json.erase("title");
  EXPECT_EQ(ErrorOf(json), "title is missing");
  json = Minimal();
  json["category"] = "weather";
  EXPECT_NE(ErrorOf(json).find("category: 'weather' is none of memory"), std::string::npos);
  json = Minimal();
  json["symptoms"] = {"a", {{"fr", "b"}}};
  EXPECT_NE(ErrorOf(json).find("symptoms[1]"), std::string::npos);
  json = Minimal();
  json["colour"] = "red";
  EXPECT_NE(ErrorOf(json).find("colour: there is no such field"), std::string::npos);
  json = Minimal();
  json["id"] = "no spaces please";
  EXPECT_NE(ErrorOf(json).find("id:"), std::string::npos);
}

Json WithSignal(const Json& signal) {
  Json json = Minimal();
  json["failure_modes"] = {{{"slug", "m"},
                            {"category", "memory"},
                            {"severity", "low"},
                            {"headline", "h"},
                            {"root_cause", "r"},
                            {"first_action", "f"},
                            {"next_check", "INFO"}}};
  json["signals"] = Json::array({signal});
  return json;
}

TEST(EntryTest, ChecksPatternsConditionsAndReferences) {
  EXPECT_EQ(ErrorOf(WithSignal({{"id", "s"}, {"failure_mode", "m"}, {"weight", 1}, {"patterns", {"OOM"}}})),
            "accepted");
  EXPECT_NE(ErrorOf(WithSignal({{"id", "s"}, {"failure_mode", "m"}, {"weight", 1}, {"patterns", {"(OOM"}}}))
                .find("signals[0].patterns[0]: missing )"),
            std::string::npos);
  EXPECT_NE(ErrorOf(WithSignal({{"id", "s"}, {"failure_mode", "m"}, {"weight", 1}, {"metric", "a >"}}))
                .find("signals[0].metric: expected a value"),
            std::string::npos);
  EXPECT_NE(ErrorOf(WithSignal({{"id", "s"}, {"failure_mode", "other"}, {"weight", 1}, {"patterns", {"x"}}}))
                .find("which failure_modes does not define"),
            std::string::npos);
  EXPECT_NE(ErrorOf(WithSignal({{"id", "s"}, {"failure_mode", "m"}, {"weight", 1}})).find("either patterns or"),
            std::string::npos);
}

TEST(EntryTest, ARiskyCommandNeedsItsCheck) {
  Json json = Minimal();
  json["actions"] = {{{"use", "fix"}, {"cmd", "X"}, {"where", "shell"}, {"risk", "data-loss"}, {"why", "w"}}};
  EXPECT_NE(ErrorOf(json).find("actions[0].check_first is missing"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::kb
