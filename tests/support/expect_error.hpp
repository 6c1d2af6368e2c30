#pragma once
// Checks that an action throws an error of one kind whose message names what it must name.

#include <gtest/gtest.h>
#include <initializer_list>
#include <ssmgen/errors.hpp>
#include <string_view>

namespace ssmgen::test {

/// Fails the test unless `action()` throws an `Exception` whose message holds every one of `parts`.
template <class Exception = FormatError, class Action>
void expect_error(Action action, std::initializer_list<std::string_view> parts) {
  try {
    action();
  } catch (const Exception& error) {
    const std::string_view message = error.what();
    for (const std::string_view part : parts) {
      EXPECT_NE(message.find(part), std::string_view::npos)
          << "expected '" << part << "' in: " << message;
    }
    return;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another kind of error: " << error.what();
    return;
  }
  ADD_FAILURE() << "no error; expected one that names '" << *parts.begin() << "'";
}

}  // namespace ssmgen::test
