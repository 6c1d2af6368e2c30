#include "io/bigwig_writer.hpp"

#include <algorithm>
#include <bigWig.h>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <new>
#include <ssmgen/errors.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output_file.hpp"

// This header of the library's does not say that it is C.
extern "C" {
#include <bwCommon.h>
}

namespace ssmgen::io {
namespace {

// Entries of the first zoom level are held in memory, 32 bytes each; it is made coarse enough that
// a whole genome has no more than a quarter of these.
constexpr std::uint64_t most_zoom_entries = std::uint64_t{1} << 24;
constexpr std::size_t values_at_once = 4096;

// The file as the library sees it. Where a write fails the library writes past its buffers and
// frees memory twice, so it is never told: the failure is kept here until somebody asks.
struct Disk {
  int descriptor = -1;
  off64_t position = 0;
  off64_t end = 0;  // of what was written
  int failure = 0;
};

ssize_t read_disk(void* cookie, char* bytes, std::size_t count) {
  auto& disk = *static_cast<Disk*>(cookie);
  const ssize_t got = pread(disk.descriptor, bytes, count, disk.position);
  if (got > 0) disk.position += got;
  return got;
}

ssize_t write_disk(void* cookie, const char* bytes, std::size_t count) {
  auto& disk = *static_cast<Disk*>(cookie);
  for (std::size_t done = 0; done < count && disk.failure == 0;) {
    const ssize_t written = pwrite(disk.descriptor, bytes + done, count - done,
                                   disk.position + static_cast<off64_t>(done));
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      disk.failure = errno;
    }
  }
  disk.position += static_cast<off64_t>(count);
  disk.end = std::max(disk.end, disk.position);
  return static_cast<ssize_t>(count);
}

int seek_disk(void* cookie, off64_t* offset, int from) {
  auto& disk = *static_cast<Disk*>(cookie);
  if (from == SEEK_CUR) *offset += disk.position;
  if (from == SEEK_END) {
    struct stat status {};
    if (fstat(disk.descriptor, &status) != 0) return -1;
    *offset += status.st_size;
  }
  disk.position = *offset;
  return 0;
}

}  // namespace

struct BigWigWriter::Impl {
  OutputFile output;
  std::vector<genome::Contig> contigs;
  bigWigFile_t* file = nullptr;
  std::size_t last_contig = std::numeric_limits<std::size_t>::max();
  std::int64_t last_end = -1;
  std::int64_t count = 0;
  Disk disk;
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  Impl(const std::string& path, const std::string& input_path) : output(path, input_path) {}
  ~Impl() {
    if (file == nullptr) return;
    // Closing would complete the file, and say on stderr where it could not.
    file->isWrite = 0;
    bwClose(file);
    if (disk.descriptor >= 0) ::close(disk.descriptor);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void check(int status) const {
    if (disk.failure != 0) output.throw_write_error(disk.failure);
    if (status == 0) return;
    throw DeviceError(
        fmt::format("{}: libBigWig cannot write it (its status is {}); the unfinished "
                    "output is not complete",
                    output.temporary_path(), status));
  }

  void open() {
    std::vector<const char*> names;
    std::vector<std::uint32_t> lengths;
    for (const genome::Contig& contig : contigs) {
      if (contig.length > std::numeric_limits<std::uint32_t>::max()) {
        throw InvalidArgument(fmt::format("{}: bigWig knows contigs of up to {} bases, {} has {}",
                                          output.name(), std::numeric_limits<std::uint32_t>::max(),
                                          contig.name, contig.length));
      }
      names.push_back(contig.name.c_str());
      lengths.push_back(static_cast<std::uint32_t>(contig.length));
    }
    errno = 0;
    file = bwOpen(output.temporary_path().c_str(), nullptr, "w");
    if (file == nullptr) output.throw_write_error(errno);
    // The zoom levels are made of what was written, so it is read too.
    disk.descriptor = ::open(output.temporary_path().c_str(), O_RDWR | O_CLOEXEC);
    if (disk.descriptor < 0) output.throw_write_error(errno);
    std::fclose(file->URL->x.fp);
    file->URL->x.fp = fopencookie(&disk, "w+", {read_disk, write_disk, seek_disk, nullptr});
    if (file->URL->x.fp == nullptr) throw std::bad_alloc();
    constexpr int most_zoom_levels = 10;
    check(bwCreateHdr(file, most_zoom_levels));
    file->cl =
        bwCreateChromList(names.data(), lengths.data(), static_cast<std::int64_t>(names.size()));
    if (file->cl == nullptr) throw std::bad_alloc();
    check(bwWriteHdr(file));
  }

  // A run of values without a gap.
  void add_run(std::size_t contig, std::int64_t begin, std::span<const float> values) {
    for (const float value : values) {
      least = std::min(least, static_cast<double>(value));
      most = std::max(most, static_cast<double>(value));
    }
    while (!values.empty()) {
      const auto part = values.first(std::min(values.size(), values_at_once));
      const auto size = static_cast<std::uint32_t>(part.size());
      if (contig == last_contig && begin == last_end) {
        check(bwAppendIntervalSpanSteps(file, part.data(), size));
      } else {
        check(bwAddIntervalSpanSteps(file, contigs[contig].name.c_str(),
                                     static_cast<std::uint32_t>(begin), 1, 1, part.data(), size));
      }
      begin += size;
      count += size;
      last_contig = contig;
      last_end = begin;
      values = values.subspan(part.size());
    }
  }
};

BigWigWriter::BigWigWriter(const std::string& path, const std::string& input_path,
                           const std::vector<genome::Contig>& contigs)
    : impl_(std::make_unique<Impl>(path, input_path)) {
  if (!impl_->output.is_regular()) {
    throw InvalidArgument(
        fmt::format("{}: a bigWig is written at many places at once, so it must be a file", path));
  }
  impl_->contigs = contigs;
  impl_->open();
}

BigWigWriter::~BigWigWriter() = default;

void BigWigWriter::add(std::size_t contig, std::int64_t begin, std::span<const float> values) {
  for (std::size_t at = 0; at < values.size();) {
    if (std::isnan(values[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < values.size() && !std::isnan(values[end])) ++end;
    impl_->add_run(contig, begin + static_cast<std::int64_t>(at), values.subspan(at, end - at));
    at = end;
  }
}

std::int64_t BigWigWriter::count() const noexcept {
  return impl_->count;
}

void BigWigWriter::finish() {
  if (impl_->count == 0) {
    throw FormatError(fmt::format(
        "{}: no base has a value: the sequences hold none of A, C, G and T, or are too short",
        impl_->output.name()));
  }
  bigWigFile_t* file = impl_->file;
  // The library begins its maximum at the smallest positive number, which is above any log p.
  file->hdr->minVal = impl_->least;
  file->hdr->maxVal = impl_->most;
  const std::uint64_t mean_width =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(impl_->count) / most_zoom_entries);
  file->writeBuffer->runningWidthSum = mean_width * file->writeBuffer->nEntries;
  // The last block of values is written first and read again for the zoom levels; reading what
  // could not be written would be the end of the program, so its room is made sure of.
  std::fflush(file->URL->x.fp);
  impl_->check(0);
  constexpr off_t block_bytes = off_t{1} << 16;
  Disk& disk = impl_->disk;
  disk.failure = posix_fallocate(disk.descriptor, disk.end, block_bytes);
  impl_->check(0);
  const int status = bwFinalize(file);
  file->isWrite = 0;
  std::fflush(file->URL->x.fp);
  impl_->check(status);
  if (ftruncate(disk.descriptor, disk.end) != 0) impl_->output.throw_write_error(errno);
  impl_->output.sync();
}

void BigWigWriter::commit() {
  impl_->output.commit();
}

}  // namespace ssmgen::io
