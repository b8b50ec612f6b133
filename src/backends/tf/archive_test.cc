#include "backends/tf/archive.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

#include "backends/tf/tar_for_test.h"

namespace redoubt::backends::tf {
namespace {

namespace fs = std::filesystem;

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

std::string Content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TfArchiveTest : public ::testing::Test {
 protected:
  // The error that unpacking ends with; empty when it went well.
  std::string Error(const std::string& archive, uint64_t max_bytes = 1 << 20) {
    try {
      (void)Unpack(BytesOf(archive), folder_.path(), max_bytes);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  }
  bool Refuses(const std::string& archive, const std::string& why) {
    const std::string error = Error(archive);
    return error.find(why) != std::string::npos ? true : (ADD_FAILURE() << "'" << error << "'", false);
  }

  PrivateFolder folder_;
};

TEST_F(TfArchiveTest, UnpacksFilesPlainAndCompressed) {
  const std::string big(100'000, 'x');
  const std::string archive = tar::Folder("./variables") + tar::File("./saved_model.pb", "graph") +
                              tar::File("./variables/a", big) + tar::File("empty", "") + tar::End();
  EXPECT_EQ(Unpack(BytesOf(archive), folder_.path(), 1 << 20), 5 + big.size());
  EXPECT_EQ(Content(folder_.path() / "saved_model.pb"), "graph");
  EXPECT_EQ(Content(folder_.path() / "variables" / "a"), big);
  EXPECT_TRUE(fs::exists(folder_.path() / "empty"));
  const PrivateFolder other;
  EXPECT_EQ(Unpack(BytesOf(tar::Gzip(archive)), other.path(), 1 << 20), 5 + big.size());
  EXPECT_EQ(Content(other.path() / "variables" / "a"), big);
}

TEST_F(TfArchiveTest, KnowsAnArchiveFromAGraph) {
  EXPECT_TRUE(IsArchive(BytesOf(tar::File("a", "") + tar::End())));
  EXPECT_TRUE(IsArchive(BytesOf(tar::Gzip("x"))));
  EXPECT_FALSE(IsArchive({}));
  EXPECT_FALSE(IsArchive(BytesOf(std::string(600, 'a'))));
  std::string lookalike(600, 'a');
  lookalike.replace(257, 5, "ustar");  // the word alone does not make it one
  EXPECT_FALSE(IsArchive(BytesOf(lookalike)));
}

TEST_F(TfArchiveTest, LongNamesComeInThreeForms) {
  const std::string name = std::string(120, 'd') + "/" + std::string(90, 'f');
  EXPECT_EQ(Error(tar::Entry('L', "././@LongLink", name + '\0') + tar::File("short", "gnu") + tar::End()), "");
  EXPECT_EQ(Content(folder_.path() / name), "gnu");
  const std::string record = " path=p/" + name + "\n";
  EXPECT_EQ(Error(tar::Entry('x', "pax", std::to_string(record.size() + 3) + record) + tar::File("short", "pax") +
                  tar::Entry('g', "global", "19 comment=whatever") + tar::End()),
            "");
  EXPECT_EQ(Content(folder_.path() / "p" / name), "pax");
  EXPECT_EQ(Error(tar::File("name", "ustar", '0', "prefix") + tar::End()), "");
  EXPECT_EQ(Content(folder_.path() / "prefix" / "name"), "ustar");
}

TEST_F(TfArchiveTest, NothingIsWrittenOutsideOfTheFolder) {
  for (const char* name : {"../evil", "a/../../evil", "/tmp/redoubt-evil", "..", ""}) {
    EXPECT_TRUE(Refuses(tar::File(name, "x") + tar::End(), "not inside the model's folder")) << name;
  }
  EXPECT_TRUE(Refuses(tar::Entry('x', "pax", "22 path=../../../evil\n") + tar::File("ok", "x"), "not inside"));
  EXPECT_FALSE(fs::exists(folder_.path().parent_path() / "evil"));
}

TEST_F(TfArchiveTest, LinksAndDevicesAreRefused) {
  for (char type : {'1', '2', '3', '4', '6'}) {
    EXPECT_TRUE(Refuses(tar::Entry(type, "link", ""), "neither file nor folder")) << type;
  }
}

TEST_F(TfArchiveTest, AFileGivenTwiceIsRefused) {
  EXPECT_TRUE(Refuses(tar::File("a", "1") + tar::File("./a", "2"), "cannot be unpacked"));
  EXPECT_TRUE(Refuses(tar::File("b", "1") + tar::File("b/c", "2"), "cannot be unpacked"));
}

TEST_F(TfArchiveTest, WhatGrowsTooMuchIsRefusedBeforeItIsWritten) {
  const std::string bomb = tar::Gzip(tar::File("zeros", std::string(30 << 20, '\0')));
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(Error(bomb, 16 << 20), "ERR the archive of the model grows to more than 16 MiB when it is unpacked");
  EXPECT_FALSE(fs::exists(folder_.path() / "zeros"));
  std::string many;
  for (int i = 0; i <= kMaxFiles; ++i) many += tar::Folder("d");
  EXPECT_TRUE(Refuses(many, "more than 10000 files"));
}

TEST_F(TfArchiveTest, DamagedBytesAreErrors) {
  const std::string good = tar::File("a", std::string(2000, 'x')) + tar::End();
  const std::string packed = tar::Gzip(good);
  EXPECT_TRUE(Refuses(good.substr(0, 1500), "ends too early"));
  EXPECT_TRUE(Refuses(packed.substr(0, packed.size() / 2), ""));
  for (size_t at = 0; at < packed.size(); ++at) {
    std::string flipped = packed;
    flipped[at] = static_cast<char>(flipped[at] ^ 0xff);
    const PrivateFolder other;
    try {
      (void)Unpack(BytesOf(flipped), other.path(), 1 << 20);
    } catch (const std::invalid_argument&) {
      continue;  // said so
    }
  }
}

TEST(PrivateFolderTest, IsForThisUserOnlyAndGoesAway) {
  fs::path path;
  {
    const PrivateFolder folder;
    path = folder.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    std::ofstream(path / "file") << "x";
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace redoubt::backends::tf
