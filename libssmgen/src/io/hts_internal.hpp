#pragma once
// What the files of this folder share of htslib. Not included from outside it.

#include <cstdlib>
#include <htslib/bgzf.h>
#include <htslib/hfile.h>
#include <htslib/hts.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <htslib/thread_pool.h>
#include <htslib/vcf.h>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "io/hts_threads.hpp"
#include "io/vcf_record.hpp"

namespace ssmgen::io {

/// Turns htslib's own log off, once: every failure is reported by an exception with path, record
/// and remedy, and every oddity by on_warning.
void silence_htslib();

/// Calls a C function to free what a unique_ptr holds.
template <auto Function>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    if constexpr (std::is_void_v<decltype(Function(pointer))>) {
      Function(pointer);
    } else {
      // Whoever cares for the status closes by hand.
      [[maybe_unused]] const auto status = Function(pointer);
    }
  }
};

using HtsFilePtr = std::unique_ptr<htsFile, FreeWith<hts_close>>;
using BgzfPtr = std::unique_ptr<BGZF, FreeWith<bgzf_close>>;
using HFilePtr = std::unique_ptr<hFILE, FreeWith<hclose>>;
using HeaderPtr = std::unique_ptr<bcf_hdr_t, FreeWith<bcf_hdr_destroy>>;
using BcfPtr = std::unique_ptr<bcf1_t, FreeWith<bcf_destroy>>;
using TabixPtr = std::unique_ptr<tbx_t, FreeWith<tbx_destroy>>;
using IndexPtr = std::unique_ptr<hts_idx_t, FreeWith<hts_idx_destroy>>;
using IteratorPtr = std::unique_ptr<hts_itr_t, FreeWith<hts_itr_destroy>>;

/// A kstring_t that frees itself.
struct KString : kstring_t {
  KString() : kstring_t{0, 0, nullptr} {}
  ~KString() { std::free(s); }
  KString(const KString&) = delete;
  KString& operator=(const KString&) = delete;

  void assign(std::string_view text);
  void append(std::string_view text);
  std::string_view view() const { return {s == nullptr ? "" : s, l}; }
};

/// The pool; `pool.pool` is null when there is none.
struct HtsThreads::Impl {
  mutable htsThreadPool pool{nullptr, 0};
  int count = 0;
};

/// Hands the pool, if there is one, to a BGZF file.
void use_threads(BGZF* file, const HtsThreads* threads);

/// What a record carries from the reader to the writer: a line of text or a BCF record.
struct VcfRecord::Payload {
  bool is_bcf = false;
  /// The line without its line end, and where its INFO column lies; `info_begin` is npos when the
  /// file has no INFO column.
  std::string line;
  std::size_t info_begin = 0;
  std::size_t info_end = 0;
  /// The record of a BCF file.
  BcfPtr bcf;
};

}  // namespace ssmgen::io
