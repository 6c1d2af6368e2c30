#include "io/hts_threads.hpp"

#include <fmt/format.h>
#include <mutex>
#include <new>
#include <ssmgen/errors.hpp>

#include "io/hts_internal.hpp"

namespace ssmgen::io {

void silence_htslib() {
  static std::once_flag once;
  std::call_once(once, [] { hts_set_log_level(HTS_LOG_OFF); });
}

HtsThreads::HtsThreads(int threads) : impl_(std::make_unique<Impl>()) {
  silence_htslib();
  if (threads < 0) {
    throw InvalidArgument(fmt::format("threads: expected 0 or more, got {}", threads));
  }
  if (threads < 2) return;
  impl_->pool.pool = hts_tpool_init(threads);
  if (impl_->pool.pool == nullptr) {
    throw DeviceError(
        fmt::format("cannot start {} threads for compression; ask for fewer", threads));
  }
  impl_->count = threads;
}

HtsThreads::~HtsThreads() {
  if (impl_->pool.pool != nullptr) hts_tpool_destroy(impl_->pool.pool);
}

int HtsThreads::count() const {
  return impl_->count;
}

void use_threads(BGZF* file, const HtsThreads* threads) {
  if (threads == nullptr || threads->count() == 0 || file->is_compressed == 0) return;
  const htsThreadPool& pool = threads->impl().pool;
  if (bgzf_thread_pool(file, pool.pool, pool.qsize) != 0) throw std::bad_alloc();
}

void KString::assign(std::string_view text) {
  l = 0;
  append(text);
}

void KString::append(std::string_view text) {
  if (kputsn(text.data(), text.size(), this) < 0) throw std::bad_alloc();
}

}  // namespace ssmgen::io
