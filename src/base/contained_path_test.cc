#include "base/contained_path.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace redoubt::base {
namespace {

class ContainedPathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(root_ / "models" / "deep");
    std::ofstream(root_ / "models" / "deep" / "a") << "a";
    std::ofstream(root_ / "secret") << "s";
    std::filesystem::create_symlink(root_ / "secret", root_ / "models" / "link");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  Result<std::string> Resolve(const std::string& path) { return ContainedPath((root_ / "models").string(), path); }

  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("contained_path_test_" + std::to_string(getpid()));
};

TEST_F(ContainedPathTest, FindsWhatLiesInside) {
  EXPECT_EQ(*Resolve("deep/a"), std::filesystem::canonical(root_ / "models/deep/a").string());
  EXPECT_TRUE(Resolve((root_ / "models/deep/../deep/a").string()).ok());
}

TEST_F(ContainedPathTest, RefusesWaysOut) {
  for (const std::string& path : {std::string("../secret"), std::string("link"), (root_ / "secret").string(),
                                  std::string("deep/../../secret"), std::string("/etc/passwd")}) {
    EXPECT_EQ(Resolve(path).status().code(), StatusCode::kPermissionDenied) << path;
  }
}

TEST_F(ContainedPathTest, SaysWhatIsMissing) {
  EXPECT_EQ(Resolve("absent").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ContainedPath((root_ / "nowhere").string(), "a").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace redoubt::base
