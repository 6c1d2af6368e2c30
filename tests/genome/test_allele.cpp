#include <gtest/gtest.h>
#include <set>
#include <string>

#include "genome/allele.hpp"

namespace ssmgen::genome {
namespace {

struct Row {
  const char* ref;
  const char* alt;
  AlleleKind kind;
};

TEST(Allele, KindOfEachForm) {
  const Row rows[] = {
      {"A", "G", AlleleKind::snv},
      {"a", "g", AlleleKind::snv},
      {"AC", "GT", AlleleKind::mnv},
      {"AC", "AT", AlleleKind::mnv},
      {"A", "a", AlleleKind::same_as_ref},
      {"ACG", "acg", AlleleKind::same_as_ref},
      {"N", "N", AlleleKind::same_as_ref},
      {"A", "AT", AlleleKind::insertion},
      {"A", "TA", AlleleKind::insertion},
      {"AT", "A", AlleleKind::deletion},
      {"AT", "T", AlleleKind::deletion},
      {"at", "A", AlleleKind::deletion},
      {"AT", "C", AlleleKind::complex_indel},
      {"AT", "GCC", AlleleKind::complex_indel},
      {"A", "<DEL>", AlleleKind::symbolic},
      {"A", "<INS:ME:ALU>", AlleleKind::symbolic},
      {"A", "<*>", AlleleKind::symbolic},
      {"A", "<NON_REF>", AlleleKind::symbolic},
      {"A", "A<ctg1>", AlleleKind::symbolic},
      {"A", "*", AlleleKind::star},
      {"A", "A]chr2:5]", AlleleKind::breakend},
      {"A", "[chr2:5[A", AlleleKind::breakend},
      {"A", "A[<ctg1>:7[", AlleleKind::breakend},
      {"A", ".A", AlleleKind::breakend},
      {"A", "A.", AlleleKind::breakend},
      {"A", ".", AlleleKind::missing},
      {"A", "", AlleleKind::missing},
      {"A", "N", AlleleKind::non_acgt},
      {"A", "R", AlleleKind::non_acgt},
      {"A", "AX", AlleleKind::non_acgt},
      {"A", "X", AlleleKind::non_acgt},
      {"N", "R", AlleleKind::non_acgt},
      {"N", "A", AlleleKind::ref_non_acgt},
      {"RC", "AC", AlleleKind::ref_non_acgt},
      {".", "A", AlleleKind::ref_non_acgt},
      {"", "A", AlleleKind::ref_non_acgt},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(allele_kind_name(classify_allele(row.ref, row.alt)), allele_kind_name(row.kind))
        << row.ref << " > " << row.alt;
  }
}

TEST(Allele, MakesUpperCase) {
  const Allele allele = make_allele("ac", "aG");
  EXPECT_EQ(allele.ref, "AC");
  EXPECT_EQ(allele.alt, "AG");
  EXPECT_EQ(allele.kind, AlleleKind::mnv);
}

TEST(Allele, ReasonsHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (int i = 0; i < kReasonCount; ++i) {
    const std::string name(reason_name(static_cast<Reason>(i)));
    EXPECT_NE(name, "unknown") << i;
    EXPECT_TRUE(names.insert(name).second) << name;
    // They stand in INFO, where these have a meaning.
    EXPECT_EQ(name.find_first_of(" ,;=\t"), std::string::npos) << name;
  }
  EXPECT_EQ(reason_name(static_cast<Reason>(kReasonCount)), "unknown");
  EXPECT_EQ(reason_name(Reason::none), ".");
  EXPECT_EQ(reason_name(Reason::ref_mismatch), "ref_mismatch");
}

TEST(Allele, ReasonOfAKind) {
  for (AlleleKind kind : {AlleleKind::snv, AlleleKind::mnv, AlleleKind::insertion,
                          AlleleKind::deletion, AlleleKind::complex_indel}) {
    EXPECT_EQ(reason_of(kind), Reason::none);
  }
  EXPECT_EQ(reason_of(AlleleKind::symbolic), Reason::symbolic);
  EXPECT_EQ(reason_of(AlleleKind::star), Reason::star);
  EXPECT_EQ(reason_of(AlleleKind::breakend), Reason::breakend);
  EXPECT_EQ(reason_of(AlleleKind::missing), Reason::missing_alt);
  EXPECT_EQ(reason_of(AlleleKind::same_as_ref), Reason::same_as_ref);
  EXPECT_EQ(reason_of(AlleleKind::non_acgt), Reason::non_acgt);
  EXPECT_EQ(reason_of(AlleleKind::ref_non_acgt), Reason::ref_n);
}

}  // namespace
}  // namespace ssmgen::genome
