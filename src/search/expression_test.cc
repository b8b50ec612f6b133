#include "search/expression.h"

#include <gtest/gtest.h>

#include <cmath>

namespace redoubt::search {
namespace {

// Columns: @n = 3, @t = "Text", @none is missing.
class ExpressionTest : public testing::Test {
 protected:
  base::Result<Value> Evaluate(std::string_view text) {
    const Params params = {{"p", "5"}, {"word", "w"}};
    auto resolver = [](std::string_view name) -> base::Result<size_t> {
      if (name == "n") return size_t{0};
      if (name == "t") return size_t{1};
      if (name == "none") return size_t{2};
      return base::InvalidArgument("Property `" + std::string(name) + "` not loaded nor in pipeline");
    };
    ASSIGN_OR_RETURN(Expression expression, Expression::Parse(text, params, resolver));
    const Values row = {Value(3.0), Value(std::string("Text")), Value()};
    return expression.Evaluate(row);
  }
  std::string Text(std::string_view text) {
    base::Result<Value> value = Evaluate(text);
    if (!value.ok()) return "error: " + value.status().message();
    return value->null() ? "null" : value->ToText();
  }
};

TEST_F(ExpressionTest, ComputesInTheOrderOfStrength) {
  EXPECT_EQ(Text("1+2*3"), "7");
  EXPECT_EQ(Text("(1+2)*3"), "9");
  EXPECT_EQ(Text("2^3^2"), "64");
  EXPECT_EQ(Text("-2^2"), "4");
  EXPECT_EQ(Text("10 - 2 - 3"), "5");
  EXPECT_EQ(Text("5.7 % 3"), "2");
  EXPECT_EQ(Text("-5%3"), "-2");
  EXPECT_EQ(Text("1 + 2 == 3 && 2 < 3 || 0"), "1");
  EXPECT_EQ(Text("@n * $p"), "15");
  EXPECT_EQ(Text("'5' * 2"), "10");
}

TEST_F(ExpressionTest, WritesNumbersWithoutNoise) {
  EXPECT_EQ(Text("0.1+0.2"), "0.3");
  EXPECT_EQ(Text("1/3"), "0.333333333333");
  EXPECT_EQ(Text("1e20"), "1e+20");
  EXPECT_EQ(Text("6373878785249699840"), "6373878785249699840");
  EXPECT_EQ(Text("1/0"), "nan");
  EXPECT_EQ(Text("5%0"), "nan");
  EXPECT_EQ(Text("log(0)"), "-inf");
  EXPECT_EQ(Text("sqrt(-1)"), "nan");
}

TEST_F(ExpressionTest, ComparesNumbersTextAndNull) {
  EXPECT_EQ(Text("1=='1'"), "1");
  EXPECT_EQ(Text("'a'=='A'"), "0");
  EXPECT_EQ(Text("'a'<'b'"), "1");
  EXPECT_EQ(Text("@t == 3"), "0");
  EXPECT_EQ(Text("@t > 3"), "error: Error converting string 'Text' to number");
  EXPECT_EQ(Text("NULL == NULL"), "1");
  EXPECT_EQ(Text("0/0 == 0/0"), "0");
  EXPECT_EQ(Text("!''"), "1");
}

TEST_F(ExpressionTest, AMissingPropertyIsNamedUnlessItIsAskedAfter) {
  EXPECT_EQ(Evaluate("@none + 1").status().code(), base::StatusCode::kNotFound);
  EXPECT_EQ(Text("upper(@none)"), "error: none: has no value, consider using EXISTS if applicable");
  EXPECT_EQ(Text("exists(@none)"), "0");
  EXPECT_EQ(Text("exists(@n)"), "1");
  EXPECT_EQ(Text("case(exists(@none), @none, 'other')"), "other");
  EXPECT_EQ(Text("!exists(@none) || @none > 3"), "1");
}

TEST_F(ExpressionTest, TextFunctions) {
  EXPECT_EQ(Text("upper(@t)"), "TEXT");
  EXPECT_EQ(Text("lower('ABC')"), "abc");
  EXPECT_EQ(Text("upper(1)"), "null");
  EXPECT_EQ(Text("startswith(@t, 'Te')"), "1");
  EXPECT_EQ(Text("contains('ababa', 'ab')"), "2");
  EXPECT_EQ(Text("contains('abc', '')"), "4");
  EXPECT_EQ(Text("strlen('h\u00e9')"), "3");
  EXPECT_EQ(Text("substr('hello', 1, 3)"), "ell");
  EXPECT_EQ(Text("substr('hello', -3, 2)"), "ll");
  EXPECT_EQ(Text("substr('hello', 1, -1)"), "ell");
  EXPECT_EQ(Text("substr('hello', 10, 2)"), "");
  EXPECT_EQ(Text("format('%s of %s, 5%%', @n, $word)"), "3 of w, 5%");
  EXPECT_EQ(Text("format('%s')"), "error: Not enough arguments for format");
  EXPECT_EQ(Text("split('a, b,,c')"), "a,b,c");
  EXPECT_EQ(Text("split('a|b;c', '|;', ' ')"), "a,b,c");
  EXPECT_EQ(Text("to_number('x')"), "error: to_number: cannot convert string 'x'");
  EXPECT_EQ(Text("strlen(5)"), "error: Invalid type for argument 0 in function 'strlen': text is expected");
}

TEST_F(ExpressionTest, TimeFunctions) {
  EXPECT_EQ(Text("timefmt(0)"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Text("parsetime('2018-01-31 16:45:44', '%Y-%m-%d %H:%M:%S')"), "1517417144");
  EXPECT_EQ(Text("timefmt(1517417144, '%Y/%j')"), "2018/031");
  EXPECT_EQ(Text("timefmt(1, '%99999999d')"), "null");
  EXPECT_EQ(Text("timefmt('x')"), "null");
  EXPECT_EQ(Text("parsetime('x', '%Y')"), "null");
  EXPECT_EQ(Text("year(1517417144)"), "2018");
  EXPECT_EQ(Text("month(1517417144)"), "1514764800");
  EXPECT_EQ(Text("day(1517417144)"), "1517356800");
  EXPECT_EQ(Text("hour(1517417144)"), "1517414400");
  EXPECT_EQ(Text("minute(1517417144)"), "1517417100");
  EXPECT_EQ(Text("hour(-1)"), "-3600");
  EXPECT_EQ(Text("monthofyear(1517417144)"), "0");
  EXPECT_EQ(Text("dayofweek(1517417144)"), "3");
  EXPECT_EQ(Text("dayofmonth(1517417144)"), "31");
  EXPECT_EQ(Text("dayofyear(1517417144)"), "30");
  EXPECT_EQ(Text("year(1e300)"), "null");
}

TEST_F(ExpressionTest, WhatDoesNotParseIsNamed) {
  EXPECT_EQ(Text("1 +"), "error: Syntax error at offset 3 near ''");
  EXPECT_EQ(Text("(1"), "error: Syntax error at offset 2 near ''");
  EXPECT_EQ(Text("'open"), "error: Syntax error at offset 0 near ''open'");
  EXPECT_EQ(Text("1 2"), "error: Syntax error at offset 2 near '2'");
  EXPECT_EQ(Text("nosuch(1)"), "error: Unknown function name 'nosuch'");
  EXPECT_EQ(Text("upper()"), "error: Invalid arguments for function 'upper'");
  EXPECT_EQ(Text("true"), "error: Unknown symbol 'true': text needs quotes, a property an @");
  EXPECT_EQ(Text("$q"), "error: No such parameter `q`");
  EXPECT_EQ(Text("@zz"), "error: Property `zz` not loaded nor in pipeline");
  EXPECT_EQ(Text("'a'+1"), "error: Could not convert value to a number: 'a'");
}

TEST_F(ExpressionTest, DepthAndLengthAreBounded) {
  EXPECT_NE(Text(std::string(200, '(') + "1" + std::string(200, ')')).find("nested too deep"), std::string::npos);
  EXPECT_NE(Text(std::string(200, '!') + "1").find("nested too deep"), std::string::npos);
  std::string chain = "1";
  for (int i = 0; i < 1001; ++i) chain += "+1";
  EXPECT_NE(Text(chain).find("more than 1000 operators"), std::string::npos);
  EXPECT_EQ(Text(chain.substr(0, chain.size() - 2)), "1001");
  EXPECT_NE(Text(std::string(70'000, ' ') + "1").find("64 KiB"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::search
