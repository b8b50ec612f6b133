#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <variant>

#include "module/ai/model_value.h"
#include "module/ai/script_value.h"
#include "module/ai/tensor_rdb.h"

namespace redoubt::ai {
namespace {

// Fields as a test lists them.
class ListReader final : public host::RdbReader {
 public:
  using Field = std::variant<uint64_t, int64_t, std::string>;
  explicit ListReader(std::deque<Field> fields) : fields_(std::move(fields)) {}

  base::Result<uint64_t> Unsigned() override { return Next<uint64_t>(); }
  base::Result<int64_t> Signed() override { return Next<int64_t>(); }
  base::Result<double> Double() override { return base::DataLoss("no doubles here"); }
  base::Result<base::Buffer> Bytes() override {
    ASSIGN_OR_RETURN(const std::string text, Next<std::string>());
    ASSIGN_OR_RETURN(base::Buffer buffer, base::Buffer::Create(text.size(), base::DefaultMemory()));
    if (!text.empty()) std::memcpy(buffer.data(), text.data(), text.size());
    return buffer;
  }

 private:
  template <class T>
  base::Result<T> Next() {
    if (fields_.empty() || !std::holds_alternative<T>(fields_.front())) return base::DataLoss("another kind");
    T value = std::get<T>(fields_.front());
    fields_.pop_front();
    return value;
  }
  std::deque<Field> fields_;
};

using Field = ListReader::Field;
Field U(uint64_t value) { return value; }
Field S(int64_t value) { return value; }
Field B(const std::string& value) { return value; }

base::Result<std::shared_ptr<tensor::Tensor>> Tensor(std::deque<Field> fields, int version) {
  ListReader reader(std::move(fields));
  return LoadTensor(reader, version, base::DefaultMemory());
}

base::Result<std::shared_ptr<ModelSource>> Model(std::deque<Field> fields, int version) {
  ListReader reader(std::move(fields));
  return LoadModelSource(reader, version, base::DefaultMemory());
}

TEST(TensorRdbTest, ReadsOursAndAllOfRedisAis) {
  EXPECT_TRUE(Tensor({U(4), U(1), S(2), B("ab")}, 5).ok());
  EXPECT_TRUE(Tensor({U(0), U(8), S(1), S(2), B("ab")}, 4).ok());
  EXPECT_TRUE(Tensor({U(7), U(8), S(1), S(2), B(std::string("a\0b\0", 4)), U(0), U(2)}, 4).ok());
  EXPECT_TRUE(Tensor({U(1), U(0), U(8), U(0), U(1), U(1), U(2), U(1), U(0), B("ab")}, 0).ok());
}

TEST(TensorRdbTest, RefusesWhatDoesNotAddUp) {
  EXPECT_FALSE(Tensor({U(99), U(1), S(2), B("ab")}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(65), S(2), B("ab")}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(1), S(-2), B("ab")}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(2), S(4294967296), S(4294967296), B("ab")}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(1), S(3), B("ab")}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(1), S(2)}, 5).ok());
  EXPECT_FALSE(Tensor({U(0), U(8), S(-1), B("ab")}, 4).ok());
  EXPECT_FALSE(Tensor({U(0), U(8), S(int64_t{1} << 40), B("ab")}, 4).ok());
  EXPECT_FALSE(Tensor({U(13), U(1), S(int64_t{1} << 60), B(std::string("a\0", 2))}, 5).ok());
  EXPECT_FALSE(Tensor({U(4), U(1), S(2), B("ab")}, 6).ok());
}

std::deque<Field> ModelFields(std::deque<Field> tail) {
  std::deque<Field> fields = {B("ONNX"), B("CPU"), B("tag"), U(8), U(2), U(5), U(1), B("x"), U(1), B("y")};
  fields.insert(fields.end(), tail.begin(), tail.end());
  return fields;
}

TEST(ModelRdbTest, ReadsOursInPieces) {
  auto model = Model(ModelFields({U(4), U(2), B("abc"), B("d")}), 5);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ((*model)->tag, "tag");
  EXPECT_EQ((*model)->batching.min_timeout_ms, 5);
  EXPECT_EQ((*model)->inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(std::memcmp((*model)->blob.data(), "abcd", 4), 0);
}

TEST(ModelRdbTest, ReadsRedisAis) {
  const std::string device("CPU\0", 4);
  EXPECT_TRUE(Model({U(3), B(device), B("t"), U(0), U(0), U(0), U(0), U(0), U(2), U(1), B("ab")}, 4).ok());
  EXPECT_TRUE(Model({U(3), B(device), B("t"), U(0), U(0), U(0), U(0), U(2), U(1), B("ab")}, 1).ok());
  EXPECT_TRUE(Model({U(0), B(device), B("t"), U(0), U(0), U(1), B("a"), U(1), B("b"), B("graph")}, 0).ok());
}

TEST(ModelRdbTest, RefusesWhatDoesNotAddUp) {
  EXPECT_FALSE(Model(ModelFields({U(5), U(2), B("abc"), B("d")}), 5).ok());
  EXPECT_FALSE(Model(ModelFields({U(2), U(2), B("abc"), B("d")}), 5).ok());
  EXPECT_FALSE(Model(ModelFields({U(uint64_t{1} << 60), U(1), B("abc")}), 5).ok());
  EXPECT_FALSE(Model(ModelFields({U(4), U(uint64_t{1} << 60)}), 5).ok());
  EXPECT_FALSE(Model({B("ONNX"), B("TPU"), B("t")}, 5).ok());
  EXPECT_FALSE(Model({B("NOPE"), B("CPU"), B("t")}, 5).ok());
  EXPECT_FALSE(Model({U(9), B("CPU"), B("t")}, 4).ok());
  EXPECT_FALSE(Model({B("ONNX"), B("CPU"), B("t"), U(0), U(0), U(0), U(uint64_t{1} << 50)}, 5).ok());
  EXPECT_FALSE(Model(ModelFields({U(0), U(0)}), 6).ok());
}

base::Result<std::shared_ptr<ScriptSource>> Script(std::deque<Field> fields, int version) {
  ListReader reader(std::move(fields));
  return LoadScriptSource(reader, version);
}

TEST(ScriptRdbTest, ReadsAllOfRedisAis) {
  const std::string device("CPU\0", 4);
  const std::string source("def f(x): ...\0", 14);
  for (int version = 0; version < 4; ++version) {
    auto script = Script({B(device), B("tag"), B(source)}, version);
    ASSERT_TRUE(script.ok()) << script.status().message();
    EXPECT_EQ((*script)->device, "CPU");
    EXPECT_EQ((*script)->source, "def f(x): ...");
    EXPECT_TRUE((*script)->entry_points.empty());
  }
  auto script = Script({B(device), B("tag"), B(source), U(2), B(std::string("f\0", 2)), B("g")}, 4);
  ASSERT_TRUE(script.ok()) << script.status().message();
  EXPECT_EQ((*script)->tag, "tag");
  EXPECT_EQ((*script)->entry_points, (std::vector<std::string>{"f", "g"}));
}

TEST(ScriptRdbTest, RefusesWhatDoesNotAddUp) {
  EXPECT_FALSE(Script({B("TPU"), B("t"), B("source")}, 0).ok());
  EXPECT_FALSE(Script({B("CPU"), B("t")}, 0).ok());
  EXPECT_FALSE(Script({B("CPU"), B("t"), B("source"), U(2), B("f")}, 4).ok());
  EXPECT_FALSE(Script({B("CPU"), B("t"), B("source"), U(uint64_t{1} << 50)}, 4).ok());
  EXPECT_FALSE(Script({B("CPU"), B("t"), B("source"), U(0)}, 5).ok());
}

}  // namespace
}  // namespace redoubt::ai
