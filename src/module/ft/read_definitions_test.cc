#include "module/ft/read_definitions.h"

#include <gtest/gtest.h>

#include <string>

#include "module/host/fuzz_reader.h"
#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

base::Result<std::vector<search::IndexDefinition>> Read(const std::string& bytes) {
  host::FuzzReader reader(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  return ReadDefinitions(reader);
}

// The fields of one index as FuzzReader takes them: counts and lengths in one byte.
std::string Fields(const std::vector<std::string>& args) {
  std::string bytes(1, static_cast<char>(args.size()));
  for (const std::string& arg : args) bytes += static_cast<char>(arg.size()) + arg;
  return bytes;
}

std::vector<std::string> Args(const std::string& name) {
  return {name, "ON", "HASH", "PREFIX", "1", "doc:", "SCHEMA", "t", "TAG"};
}

TEST(ReadDefinitionsTest, ReadsTheIndexesInTheirOrder) {
  auto definitions = Read("\2" + Fields(Args("a")) + Fields(Args("b")));
  ASSERT_TRUE(definitions.ok()) << definitions.status().message();
  ASSERT_EQ(definitions->size(), 2u);
  EXPECT_EQ((*definitions)[0].name, "a");
  EXPECT_EQ((*definitions)[1].name, "b");
  EXPECT_EQ((*definitions)[1].prefixes, std::vector<std::string>{"doc:"});
}

TEST(ReadDefinitionsTest, ReadsWhatIsWrittenOfADefinition) {
  auto first = Read("\1" + Fields(Args("a")));
  ASSERT_TRUE(first.ok());
  std::vector<std::string> written = search::CreateArgs(first->front());
  auto second = Read("\1" + Fields(written));
  ASSERT_TRUE(second.ok()) << second.status().message();
  EXPECT_EQ(search::CreateArgs(second->front()), written);
}

TEST(ReadDefinitionsTest, RefusesWhatDoesNotAddUp) {
  EXPECT_TRUE(Read(std::string("\0", 1)).ok());
  EXPECT_FALSE(Read("").ok());
  EXPECT_FALSE(Read("\2" + Fields(Args("a"))).ok());
  EXPECT_FALSE(Read("\1" + Fields({"a", "SCHEMA", "t", "NONSENSE"})).ok());
  EXPECT_FALSE(Read("\1" + Fields({})).ok());
  // Counts beyond any sense are refused before anything is read or reserved for them.
  EXPECT_FALSE(Read("\xff" + std::string(8, '\x7f')).ok());
  EXPECT_FALSE(Read("\1\xff" + std::string(8, '\x7f')).ok());
}

}  // namespace
}  // namespace redoubt::ft
