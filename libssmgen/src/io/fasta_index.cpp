#include "io/fasta_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <htslib/faidx.h>
#include <ssmgen/errors.hpp>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_set>

#include "base/files.hpp"
#include "io/byte_source.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;

// How many contigs or blocks of an index are looked up in the file itself.
constexpr std::size_t kProbes = 256;

std::string remake_remedy(const FastaFile& fasta) {
  return fmt::format("make it again: rm -f '{0}.fai' '{0}.gzi' && samtools faidx '{0}'",
                     fasta.path);
}

std::string gzip_remedy(const std::string& path) {
  std::string stem = path;
  for (std::string_view suffix : {".gz", ".fa", ".fasta", ".fna", ".GZ"}) {
    if (stem.size() > suffix.size() && stem.ends_with(suffix)) {
      stem.resize(stem.size() - suffix.size());
    }
  }
  // The name must not be the input's own.
  const std::string out = (stem + ".fa.gz" == path ? stem + ".bgzip" : stem) + ".fa.gz";
  return fmt::format("gunzip -c '{0}' | bgzip -@4 > '{1}' && samtools faidx '{1}'", path, out);
}

// Decompressed bytes at any place of a FASTA file.
class RandomBytes {
 public:
  RandomBytes(const FastaFile& fasta, const std::string& gzi) {
    file_.reset(bgzf_open(fasta.path.c_str(), "r"));
    if (file_ == nullptr) {
      throw FormatError(fmt::format("{}: cannot be opened: {}", fasta.path, std::strerror(errno)));
    }
    if (fasta.is_bgzip && bgzf_index_load(file_.get(), gzi.c_str(), nullptr) != 0) {
      throw FormatError(fmt::format("{}: cannot be read; {}", gzi, remake_remedy(fasta)));
    }
  }

  // Up to `count` bytes at `offset`; fewer at the end of the file.
  std::string read(std::int64_t offset, std::size_t count) {
    std::string out(count, '\0');
    if (bgzf_useek(file_.get(), offset, SEEK_SET) != 0) return {};
    const ssize_t got = bgzf_read(file_.get(), out.data(), count);
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }

 private:
  BgzfPtr file_;
};

bool is_line_end(char letter) {
  return letter == '\n' || letter == '\r';
}

// Whether the entry's sequence begins under its own name and ends where the entry says.
bool entry_fits(const FastaIndexEntry& entry, RandomBytes& bytes) {
  const std::int64_t name_room = static_cast<std::int64_t>(entry.name.size()) + 4096;
  const std::int64_t from = std::max<std::int64_t>(0, entry.offset - name_room);
  const std::string before = bytes.read(from, static_cast<std::size_t>(entry.offset - from));
  if (before.size() != static_cast<std::size_t>(entry.offset - from) || before.empty() ||
      before.back() != '\n') {
    return false;
  }
  const std::size_t line = before.find_last_of('\n', before.size() - 2);
  // A header line longer than the room: its start is not seen, so it is not judged.
  const bool whole = line != std::string::npos || from == 0;
  if (whole) {
    const std::string_view header =
        std::string_view(before).substr(line == std::string::npos ? 0 : line + 1);
    if (!header.starts_with(">" + entry.name) ||
        std::isspace(static_cast<unsigned char>(header[entry.name.size() + 1])) == 0) {
      return false;
    }
  }
  if (entry.length == 0) return true;
  const std::int64_t last = entry.length - 1;
  const std::int64_t end =
      entry.offset + last / entry.line_bases * entry.line_bytes + last % entry.line_bases;
  const std::string tail = bytes.read(end, 2);
  return !tail.empty() && std::isgraph(static_cast<unsigned char>(tail[0])) != 0 &&
         tail[0] != '>' && (tail.size() < 2 || is_line_end(tail[1]));
}

void check_fai(const std::string& path, const std::vector<FastaIndexEntry>& entries,
               const FastaFile& fasta, const std::string& gzi) {
  if (entries.empty()) {
    throw FormatError(fmt::format("{}: lists no sequence; {}", path, remake_remedy(fasta)));
  }
  RandomBytes bytes(fasta, gzi);
  const std::size_t step = std::max<std::size_t>(1, entries.size() / kProbes);
  const auto check = [&](const FastaIndexEntry& entry) {
    if (entry_fits(entry, bytes)) return;
    throw FormatError(
        fmt::format("{}: does not fit {}: '{}' with {} bases is not where the index "
                    "says; {}",
                    path, fasta.path, entry.name, entry.length, remake_remedy(fasta)));
  };
  for (std::size_t i = 0; i < entries.size(); i += step) check(entries[i]);
  check(entries.back());
}

bool is_older(const std::string& path, const std::string& than) {
  std::error_code error;
  const auto a = fs::last_write_time(path, error);
  const auto b = fs::last_write_time(than, error);
  return !error && a < b;
}

// Builds into two named files; false when the system refused to write them.
bool try_build(const FastaFile& fasta, const std::string& fai, const std::string& gzi) {
  {
    std::ofstream probe(fai);
    if (!probe) return false;
  }
  if (fai_build3(fasta.path.c_str(), fai.c_str(), gzi.c_str()) != 0) {
    std::error_code ignored;
    fs::remove(fai, ignored);
    fs::remove(gzi, ignored);
    throw FormatError(fmt::format(
        "{}: cannot be indexed: each sequence needs a name of its own and lines of one length (the "
        "last may be shorter), and a bgzip file must be whole; 'samtools faidx {}' says more",
        fasta.path, fasta.path));
  }
  return true;
}

}  // namespace

FastaFile inspect_fasta(const std::string& path) {
  if (path == "-") {
    throw InvalidArgument("FASTA: expected a file that can be searched, not standard input");
  }
  InputFile input = open_input(path);
  if (input.size_bytes < 0) {
    throw FormatError(fmt::format("{}: expected a regular file", path));
  }
  FastaFile fasta{path, input.format.compression == bgzf, input.size_bytes};
  if (input.format.compression == gzip) {
    throw FormatError(
        fmt::format("{}: compressed by gzip, which cannot be searched; compress it by bgzip: {}",
                    path, gzip_remedy(path)));
  }
  if (fasta.is_bgzip) {
    BgzfPtr file(bgzf_open(path.c_str(), "r"));
    if (file == nullptr || bgzf_check_EOF(file.get()) != 1) {
      throw FormatError(fmt::format("{}: truncated: the BGZF end marker is missing; {}", path,
                                    truncation_remedy()));
    }
  }
  std::array<char, 256> start{};
  std::size_t got = 0;
  try {
    got = make_byte_source(input, nullptr)->read(start.data(), start.size());
  } catch (const InputDamage& damage) {
    throw FormatError(fmt::format("{}: {}; {}", path, damage.what, truncation_remedy()));
  }
  const std::string_view text(start.data(), got);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '>') {
    throw FormatError(fmt::format("{}: not FASTA: expected '>' first", path));
  }
  return fasta;
}

std::vector<FastaIndexEntry> read_fai(const std::string& path) {
  const std::string text = base::read_file(path);
  std::vector<FastaIndexEntry> entries;
  std::unordered_set<std::string_view> names;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    FastaIndexEntry entry;
    std::array<std::int64_t*, 4> numbers{&entry.length, &entry.offset, &entry.line_bases,
                                         &entry.line_bytes};
    std::size_t from = std::min(line.find('\t'), line.size());
    entry.name = line.substr(0, from);
    bool good = !entry.name.empty();
    for (std::int64_t* number : numbers) {
      if (!good || from >= line.size()) {
        good = false;
        break;
      }
      const std::size_t next = std::min(line.find('\t', from + 1), line.size());
      const char* stop = line.data() + next;
      const auto [last, error] = std::from_chars(line.data() + from + 1, stop, *number);
      good = error == std::errc() && last == stop && *number >= 0;
      from = next;
    }
    good = good &&
           (entry.length == 0 || (entry.line_bases > 0 && entry.line_bytes >= entry.line_bases));
    if (!good || !names.insert(line.substr(0, entry.name.size())).second) {
      throw FormatError(
          fmt::format("{}: line {}: expected a new NAME, LENGTH, OFFSET, LINEBASES, LINEWIDTH, got "
                      "'{}'; remove "
                      "the file and run samtools faidx again",
                      path, entries.size() + 1, line.substr(0, 80)));
    }
    entries.push_back(std::move(entry));
    at = end + 1;
  }
  return entries;
}

void check_gzi(const std::string& path, const FastaFile& fasta) {
  const std::string bytes = base::read_file(path);
  const auto fail = [&](const std::string& what) {
    throw FormatError(fmt::format("{}: broken: {}; {}", path, what, remake_remedy(fasta)));
  };
  const auto number = [&](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
  };
  if (bytes.size() < 8 || bytes.size() % 16 != 8) {
    fail(fmt::format("expected a size of 8 + 16 n bytes, it has {}", bytes.size()));
  }
  const std::size_t blocks = bytes.size() / 16;
  if (number(0) != blocks) {
    fail(fmt::format("it says {} blocks and holds {}", number(0), blocks));
  }
  BgzfPtr file(bgzf_open(fasta.path.c_str(), "r"));
  const std::size_t step = std::max<std::size_t>(1, blocks / kProbes);
  std::uint64_t last_compressed = 0;
  std::uint64_t last_plain = 0;
  std::ifstream raw(fasta.path, std::ios::binary);
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::uint64_t compressed = number(8 + 16 * i);
    const std::uint64_t plain = number(16 + 16 * i);
    // A block can be empty only as the end marker, which the index may list.
    if (compressed <= last_compressed || plain < last_plain ||
        compressed >= static_cast<std::uint64_t>(fasta.size_bytes)) {
      fail(fmt::format("block {} is said to be at byte {} of {}", i + 1, compressed,
                       fasta.size_bytes));
    }
    last_compressed = compressed;
    last_plain = plain;
    if (i % step != 0 && i + 1 != blocks) continue;
    std::array<char, 4> magic{};
    raw.seekg(static_cast<std::streamoff>(compressed));
    raw.read(magic.data(), magic.size());
    if (!raw || magic != std::array<char, 4>{'\x1f', '\x8b', '\x08', '\x04'}) {
      fail(fmt::format("no block begins at byte {} of {}", compressed, fasta.path));
    }
  }
}

FastaIndexFiles::FastaIndexFiles(const FastaFile& fasta,
                                 const std::function<void(const std::string&)>& on_warning)
    : fai_path_(fasta.path + ".fai"), gzi_path_(fasta.path + ".gzi") {
  const bool found =
      base::file_exists(fai_path_) && (!fasta.is_bgzip || base::file_exists(gzi_path_));
  if (!found) {
    build(fasta, on_warning);
    entries_ = read_fai(fai_path_);
    return;
  }
  if (fasta.is_bgzip) check_gzi(gzi_path_, fasta);
  entries_ = read_fai(fai_path_);
  check_fai(fai_path_, entries_, fasta, gzi_path_);
  const bool old =
      is_older(fai_path_, fasta.path) || (fasta.is_bgzip && is_older(gzi_path_, fasta.path));
  if (!old) return;
  // Copies and version control lose the order of times, so an old index is not yet a wrong one:
  // a new one is made aside and compared.
  const std::string fai = fai_path_;
  const std::string gzi = gzi_path_;
  build_in_temporary_folder(fasta);
  const auto same = [](const std::string& a, const std::string& b) {
    return base::read_file(a) == base::read_file(b);
  };
  if (!same(fai, fai_path_) || (fasta.is_bgzip && !same(gzi, gzi_path_))) {
    throw FormatError(fmt::format("{}: stale: older than {} and not its index any more; {}", fai,
                                  fasta.path, remake_remedy(fasta)));
  }
  if (on_warning) {
    on_warning(fmt::format("{}: older than {}, but it still fits; 'touch' it to save this check",
                           fai, fasta.path));
  }
}

FastaIndexFiles::~FastaIndexFiles() {
  std::error_code ignored;
  if (!temporary_folder_.empty()) fs::remove_all(temporary_folder_, ignored);
}

void FastaIndexFiles::build(const FastaFile& fasta,
                            const std::function<void(const std::string&)>& on_warning) {
  // Under another name first: a second process must never see half an index.
  const std::string suffix = fmt::format(".{}.part", getpid());
  const std::string fai = fai_path_ + suffix;
  const std::string gzi = gzi_path_ + suffix;
  if (try_build(fasta, fai, gzi)) {
    std::error_code error;
    if (fasta.is_bgzip) fs::rename(gzi, gzi_path_, error);
    if (!error) fs::rename(fai, fai_path_, error);
    if (!error) return;
  }
  build_in_temporary_folder(fasta);
  if (on_warning) {
    on_warning(
        fmt::format("{}: its folder cannot be written, the index is kept in memory; "
                    "'samtools faidx' once to save the time",
                    fasta.path));
  }
}

void FastaIndexFiles::build_in_temporary_folder(const FastaFile& fasta) {
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "ssmgen-fai-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) {
    throw DeviceError(
        fmt::format("{}: cannot make a temporary folder for its index: {}; make the "
                    "index with: samtools faidx '{}'",
                    fasta.path, std::strerror(errno), fasta.path));
  }
  temporary_folder_ = folder;
  fai_path_ = folder + "/index.fai";
  gzi_path_ = folder + "/index.gzi";
  if (!try_build(fasta, fai_path_, gzi_path_)) {
    throw DeviceError(fmt::format("{}: cannot write its index into {}: {}", fasta.path, folder,
                                  std::strerror(errno)));
  }
}

}  // namespace ssmgen::io
