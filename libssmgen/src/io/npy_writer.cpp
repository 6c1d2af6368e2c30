#include "io/npy_writer.hpp"

#include <bit>
#include <cerrno>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ssmgen/errors.hpp>
#include <unistd.h>

namespace ssmgen::io {
namespace {

static_assert(std::endian::native == std::endian::little);

// Magic, version, length of the text and the text: always so long, so that the number of rows may
// be told last. The format asks for a multiple of 64.
constexpr std::size_t header_bytes = 128;

std::string header_text(const ArrayShape& shape, std::int64_t rows) {
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}",
                                 fmt::join(shape.sizes(rows), ", "));
  constexpr std::size_t before = 10;
  text.resize(header_bytes - before - 1, ' ');
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size());
  header += '\0';
  return header + text;
}

}  // namespace

NpyWriter::NpyWriter(const std::string& path, const std::string& input_path,
                     const ArrayShape& shape)
    : shape_(shape), file_(path, input_path) {
  if (!file_.is_regular()) {
    throw InvalidArgument(fmt::format(
        "{}: a .npy file is written at many places at once, so it must be a file", file_.name()));
  }
  if (shape.has_layer_dimension && shape.rows < 0) {
    throw InvalidArgument(
        "--layer all into .npy must know the number of rows first, which a stream does not tell: "
        "give a file as input, or write .zarr");
  }
  descriptor_ = file_.hand_out();
}

NpyWriter::~NpyWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void NpyWriter::write_at(std::int64_t offset, const void* bytes, std::size_t count) {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = pwrite(descriptor_, from, count, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) file_.throw_write_error(errno);
    from += written;
    offset += written;
    count -= static_cast<std::size_t>(written);
  }
}

void NpyWriter::write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
                      const float* values) {
  const std::int64_t row_bytes = shape_.channels * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t row = (layer == 0 ? 0 : layer * shape_.rows) + first_row;
  write_at(static_cast<std::int64_t>(header_bytes) + row * row_bytes, values,
           static_cast<std::size_t>(count * row_bytes));
}

void NpyWriter::finish(std::int64_t rows) {
  const std::string header = header_text(shape_, rows);
  write_at(0, header.data(), header.size());
  file_.sync();
}

}  // namespace ssmgen::io
