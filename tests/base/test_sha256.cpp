// SHA-256 against the example vectors of FIPS 180-4 and NIST's CAVP, in both implementations.

#include <algorithm>
#include <cstddef>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.hpp"

namespace ssmgen::base {
namespace {

using Implementation = Sha256::Implementation;

class Sha256Test : public testing::TestWithParam<Implementation> {
 protected:
  std::string hash(std::string_view text) const {
    Sha256 hash(GetParam());
    hash.update(std::as_bytes(std::span(text)));
    return hash.hex_digest();
  }
};

TEST_P(Sha256Test, GivesThePublishedDigests) {
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                 "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(hash("\xd3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
  EXPECT_EQ(hash(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_P(Sha256Test, DoesNotDependOnHowTheBytesAreCut) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37 + i / 7);
  const std::string whole = hash(text);
  for (const std::size_t step : {1u, 3u, 55u, 56u, 63u, 64u, 65u, 128u, 999u}) {
    Sha256 hash(GetParam());
    for (std::size_t begin = 0; begin < text.size(); begin += step) {
      hash.update(
          std::as_bytes(std::span(text).subspan(begin, std::min(step, text.size() - begin))));
    }
    EXPECT_EQ(hash.hex_digest(), whole) << "in steps of " << step;
  }
}

// Every length around one and two blocks takes another way through the padding.
TEST_P(Sha256Test, AgreesWithTheOtherImplementationAtEveryLength) {
  std::string text;
  for (int length = 0; length < 300; ++length) {
    Sha256 portable(Implementation::portable);
    portable.update(std::as_bytes(std::span(text)));
    EXPECT_EQ(hash(text), portable.hex_digest()) << "length " << length;
    text += static_cast<char>(length);
  }
}

INSTANTIATE_TEST_SUITE_P(Implementations, Sha256Test,
                         testing::Values(Implementation::fastest, Implementation::portable),
                         [](const auto& parameter) {
                           return parameter.param == Implementation::fastest ? "fastest"
                                                                             : "portable";
                         });

TEST(Sha256Hex, HashesASpan) {
  const std::string_view text = "abc";
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span(text))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace ssmgen::base
