#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <ssmgen/errors.hpp>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::base {
namespace {

using test::expect_error;

JsonValue parse(std::string_view text) {
  return JsonValue::parse(text, "dir/config.json");
}

TEST(Json, GivesTypedValues) {
  const JsonValue value =
      parse(R"({"i": -3, "d": 2.5, "b": true, "s": "x\u00e9", "n": null, "a": [1, [2]], "o": {}})");
  EXPECT_EQ(value.at("i").integer(), -3);
  EXPECT_EQ(value.at("i").number(), -3.0);
  EXPECT_EQ(value.at("d").number(), 2.5);
  EXPECT_TRUE(value.at("b").boolean());
  EXPECT_EQ(value.at("s").text(), "x\u00e9");
  EXPECT_TRUE(value.at("n").is_null());
  EXPECT_EQ(value.at("a").size(), 2u);
  EXPECT_EQ(value.at("a").elements()[1].elements()[0].integer(), 2);
  EXPECT_EQ(value.at("a").elements()[1].elements()[0].place(), "a[1][0]");
  EXPECT_EQ(value.members().size(), 7u);
  EXPECT_EQ(value.members()[0].first, "a");
  EXPECT_TRUE(value.contains("n"));
  EXPECT_FALSE(value.contains("absent"));
  EXPECT_FALSE(value.find("n").has_value());
  EXPECT_FALSE(value.find("absent").has_value());
  EXPECT_TRUE(value.find("i").has_value());
}

TEST(Json, AValueOutlivesItsDocument) {
  const JsonValue inner = parse(R"({"a": {"b": "kept"}})").at("a").at("b");
  EXPECT_EQ(inner.text(), "kept");
  EXPECT_EQ(inner.place(), "a.b");
  EXPECT_EQ(inner.source(), "dir/config.json");
}

TEST(Json, FallbackStandsInForAbsentAndNullOnly) {
  const JsonValue value = parse(R"({"i": 5, "n": null, "b": false, "s": "t", "d": 0.5})");
  EXPECT_EQ(value.integer_or("i", 1, 0, 9), 5);
  EXPECT_EQ(value.integer_or("n", 1, 0, 9), 1);
  EXPECT_EQ(value.integer_or("absent", 1, 0, 9), 1);
  EXPECT_FALSE(value.boolean_or("b", true));
  EXPECT_TRUE(value.boolean_or("absent", true));
  EXPECT_EQ(value.text_or("s", "u"), "t");
  EXPECT_EQ(value.text_or("absent", "u"), "u");
  EXPECT_EQ(value.number_or("d", 1.0), 0.5);
  EXPECT_EQ(value.number_or("absent", 1.0), 1.0);
  expect_error([&] { value.integer_or("s", 1, 0, 9); }, {"dir/config.json", "'s'", "an integer"});
  expect_error([&] { value.boolean_or("i", true); }, {"'i'", "true or false", "5"});
}

TEST(Json, ErrorsNameFilePlaceExpectedAndFound) {
  const JsonValue value = parse(R"({"a": {"b": [1, "two"]}, "i": 70, "t": true, "f": 2.0})");
  expect_error([&] { value.at("a").at("c"); }, {"dir/config.json", "'a'", "'c' is missing"});
  expect_error([&] { value.at("x"); }, {"dir/config.json", "'x' is missing"});
  expect_error([&] { value.at("a").at("b").elements()[1].integer(); },
               {"dir/config.json", "'a.b[1]'", "expected an integer", "\"two\""});
  expect_error([&] { value.at("i").integer(0, 64); }, {"'i'", "from 0 to 64", "70"});
  expect_error([&] { value.at("i").integer(71, 80); }, {"from 71 to 80"});
  expect_error([&] { value.at("f").integer(); }, {"expected an integer", "2.0"});
  expect_error([&] { value.at("t").text(); }, {"expected a string", "true"});
  expect_error([&] { value.at("t").number(); }, {"expected a number"});
  expect_error([&] { value.at("i").elements(); }, {"expected an array", "70"});
  expect_error([&] { value.at("i").at("x"); }, {"expected an object"});
  expect_error([&] { value.at("i").find("x"); }, {"expected an object"});
  expect_error([&] { value.at("i").members(); }, {"expected an object"});
  expect_error([&] { value.at("a").boolean(); }, {"expected true or false, found an object"});
}

TEST(Json, IntegersAreTakenWholeOrRefused) {
  const JsonValue value = parse(
      R"([9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551615,
          18446744073709551616])");
  const auto elements = value.elements();
  EXPECT_EQ(elements[0].integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(elements[1].integer(), std::numeric_limits<std::int64_t>::min());
  expect_error([&] { elements[2].integer(); }, {"9223372036854775808"});
  expect_error([&] { elements[3].integer(); }, {"18446744073709551615"});
  expect_error([&] { elements[4].integer(); }, {"expected an integer"});
  EXPECT_DOUBLE_EQ(elements[4].number(), 18446744073709551616.0);
}

TEST(Json, RefusesWhatIsNotOneJsonValue) {
  for (const std::string_view text :
       {"", "{", "{\"a\":}", "{'a': 1}", "[1,]", "{} {}", "nul", "\"\xff\"", "1e999", "\x01",
        "{\"a\" 1}", "// comment\n{}", "NaN"}) {
    expect_error([&] { parse(text); }, {"dir/config.json", "expected JSON"});
  }
  expect_error([&] { parse(std::string_view("{}\0{", 4)); }, {"expected JSON", "offset 2"});
  expect_error([&] { parse("{\n \"a\": 1,\n \"b\" 2}"); }, {"line 3"});
}

TEST(Json, RefusesAKeyThatStandsTwice) {
  expect_error([&] { parse(R"({"a": 1, "b": {"c": 2, "c": 2}})"); },
               {"dir/config.json", "'c'", "twice"});
  EXPECT_NO_THROW(parse(R"([{"a": {"a": 1}}, {"a": 2}])"));
}

TEST(Json, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse(nested(32)));
  expect_error([&] { parse(nested(33)); }, {"dir/config.json", "deeper than 32"});
  expect_error([&] { parse(std::string(10'000'000, '[')); }, {"deeper than 32"});
}

TEST(Json, ReadsPythonConstantsAsNullWhenAsked) {
  const JsonOptions options{.accept_python_constants = true};
  const JsonValue value = JsonValue::parse(
      R"({"a": [0.0, Infinity], "b": -Infinity, "c": NaN, "s": "NaN \" Infinity"})", "x", options);
  EXPECT_TRUE(value.at("a").elements()[1].is_null());
  EXPECT_TRUE(value.at("b").is_null());
  EXPECT_TRUE(value.at("c").is_null());
  EXPECT_EQ(value.at("s").text(), "NaN \" Infinity");
}

TEST(Json, AFileThatIsMissingOrTooLargeIsNamed) {
  expect_error([] { JsonValue::parse_file("/nonexistent/x.json"); }, {"/nonexistent/x.json"});
  expect_error([] { JsonValue::parse_file("/proc/self/status", {.max_bytes = 3}); },
               {"/proc/self/status", "3 bytes"});
}

TEST(Json, ExcerptIsShort) {
  EXPECT_LE(parse("\"" + std::string(1000, 'x') + "\"").excerpt().size(), 63u);
  EXPECT_EQ(parse("[1, 2]").excerpt(), "[1,2]");
}

}  // namespace
}  // namespace ssmgen::base
