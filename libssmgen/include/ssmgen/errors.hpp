#pragma once
// The three kinds of error the library throws. A message says what was expected, what came and
// where. Every folder of the project may include this header.

#include <stdexcept>
#include <string>

namespace ssmgen {

/// Base of every error thrown on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller asked for something that cannot be: a wrong option, shape or name.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// A file is not what it should be; the message names the path and the record, line or tensor.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// A device or the machine refused: out of memory, no such device, plugin missing, disk full.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace ssmgen
