#include "server/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace redoubt::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "redoubt-config-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    environment_["REDOUBT_DATA"] = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  base::Result<Settings> Resolve(const Settings::Flags& flags = {}) {
    return Settings::Resolve(flags, [this](const std::string& name) -> std::optional<std::string> {
      auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
  }
  void WriteFile(std::string_view text) { std::ofstream(folder_ / "redoubt.env") << text; }

  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsTest, LaterSourcesWin) {
  WriteFile("# a comment\n\nREDOUBT_HTTP = 127.0.0.1:1\nREDOUBT_UI=127.0.0.1:2\nREDOUBT_LOG_LEVEL=\"debug\"\n");
  environment_["REDOUBT_UI"] = "127.0.0.1:3";
  environment_["REDOUBT_LOG_LEVEL"] = "warning";
  auto settings = Resolve({{"log-level", {"error"}}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->Text("http"), "127.0.0.1:1");
  EXPECT_EQ(settings->Text("ui"), "127.0.0.1:3");
  EXPECT_EQ(settings->Text("log-level"), "error");
  EXPECT_EQ(settings->source("log-level"), Source::kFlag);
  EXPECT_EQ(settings->Number("max-log-mb"), 16);
}

TEST_F(SettingsTest, ListsComeFromRepeatedFlagsOrCommas) {
  environment_["REDOUBT_ALLOW_HOST"] = "a.example, b.example";
  auto settings = Resolve({{"allow-test-faults", {"127.0.0.1:1", "127.0.0.1:2"}}});
  ASSERT_TRUE(settings.ok());
  EXPECT_THAT(settings->List("allow-host"), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(settings->List("allow-test-faults"), ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
}

TEST_F(SettingsTest, ErrorsNameThePlaceAndTheFault) {
  WriteFile("REDOUBT_HTTP=127.0.0.1:1\nREDOUBT_HTPT=x\n");
  EXPECT_THAT(Resolve().status().message(), HasSubstr("redoubt.env:2: 'REDOUBT_HTPT'"));
  WriteFile("");
  EXPECT_THAT(Resolve({{"max-log-mb", {"1000"}}}).status().message(), HasSubstr("--max-log-mb: '1000'"));
  environment_["REDOUBT_BEHIND_PROXY"] = "perhaps";
  EXPECT_THAT(Resolve().status().message(), HasSubstr("REDOUBT_BEHIND_PROXY"));
  EXPECT_EQ(Resolve({{"config", {"/no/such/file"}}}).status().code(), base::StatusCode::kNotFound);
}

TEST_F(SettingsTest, DescribingShowsNoSecret) {
  environment_["REDOUBT_TOKEN"] = "s3cret-token";
  environment_["REDOUBT_CONNECT"] = "redis://:hunter2@127.0.0.1";
  std::string text = Resolve()->Describe();
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("(set)"));
}

TEST_F(SettingsTest, EverySettingHasHelpAndAGoodDefault) {
  auto settings = Resolve();
  ASSERT_TRUE(settings.ok());
  for (const Setting& setting : AllSettings()) {
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    if (setting.kind == Setting::Kind::kNumber) {
      EXPECT_GE(settings->Number(setting.name), setting.min) << setting.name;
      EXPECT_LE(settings->Number(setting.name), setting.max) << setting.name;
    }
  }
}

TEST_F(SettingsTest, TheExampleFileHoldsEverySettingWithItsDefault) {
  std::ifstream file(REDOUBT_SOURCE_DIR "/.env.example");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const Setting& setting : AllSettings()) {
    EXPECT_THAT(text,
                HasSubstr("\n#" + EnvironmentName(setting.name) + "=" + std::string(setting.default_value) + "\n"));
  }
}

}  // namespace
}  // namespace redoubt::config
