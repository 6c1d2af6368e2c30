// Records a second through VcfReader and VcfWriter with one score added, no samples. The floor of
// the compressed case is htslib taking the same bytes out of BGZF and putting them in again.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <htslib/bgzf.h>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

#include "io/vcf_reader.hpp"
#include "io/vcf_writer.hpp"

namespace {

using namespace ssmgen::io;
namespace fs = std::filesystem;

constexpr std::int64_t kRecords = 300'000;

fs::path folder() {
  const fs::path path = fs::temp_directory_path() / fmt::format("ssmgen-bench-vcf-{}", getpid());
  fs::create_directories(path);
  return path;
}

// A sites-only file as population call sets are: ID, QUAL and three INFO fields.
std::string make_plain_input() {
  const std::string path = (folder() / "in.vcf").string();
  std::ofstream out(path);
  out << "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=248956422>\n"
         "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"Count\">\n"
         "##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n"
         "##INFO=<ID=AN,Number=1,Type=Integer,Description=\"Alleles\">\n"
         "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
  std::mt19937 random(1);
  std::int64_t position = 0;
  for (std::int64_t i = 0; i < kRecords; ++i) {
    position += 1 + static_cast<std::int64_t>(random() % 200);
    out << fmt::format("chr1\t{}\trs{}\t{}\t{}\t{}\tPASS\tAC={};AF={:.6g};AN=5008\n", position, i,
                       "ACGT"[random() % 4], "ACGT"[random() % 4], random() % 1000, random() % 5008,
                       static_cast<double>(random() % 5008) / 5008);
  }
  return path;
}

std::int64_t copy_scored(const std::string& from, const std::string& to,
                         const HtsThreads* threads) {
  VcfReaderOptions in;
  in.path = from;
  in.threads = threads;
  VcfReader reader(in);
  VcfWriterOptions out;
  out.path = to;
  out.format = choose_vcf_format("", to);
  out.threads = threads;
  out.header_lines = {"##INFO=<ID=SCORE,Number=A,Type=Float,Description=\"A score\">"};
  VcfWriter writer(out, reader);
  VcfRecord record;
  std::vector<InfoField> fields{{"SCORE", std::vector<float>{}}};
  while (reader.read(record)) {
    auto& scores = std::get<std::vector<float>>(fields[0].values);
    scores.assign(record.alts.size(), static_cast<float>(record.position % 1000) / 7.0F);
    writer.write(record, fields);
  }
  writer.close();
  return writer.records_written();
}

void vcf_copy(benchmark::State& state, const char* from, const char* to) {
  const HtsThreads threads(static_cast<int>(state.range(0)));
  static const std::string plain = make_plain_input();
  const std::string input = (folder() / from).string();
  if (!fs::exists(input)) copy_scored(plain, input, nullptr);
  const std::string output = (folder() / to).string();
  std::int64_t records = 0;
  for (auto _ : state) records += copy_scored(input, output, &threads);
  state.counters["records"] =
      benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
}

void bgzf_copy(benchmark::State& state) {
  static const std::string plain = make_plain_input();
  const std::string input = (folder() / "floor.vcf.gz").string();
  if (!fs::exists(input)) copy_scored(plain, input, nullptr);
  std::vector<char> buffer(1 << 16);
  for (auto _ : state) {
    BGZF* in = bgzf_open(input.c_str(), "r");
    BGZF* out = bgzf_open((folder() / "floor.out").c_str(), "w");
    for (ssize_t got = 0; (got = bgzf_read(in, buffer.data(), buffer.size())) > 0;) {
      if (bgzf_write(out, buffer.data(), static_cast<std::size_t>(got)) != got) {
        state.SkipWithError("cannot write");
      }
    }
    bgzf_close(in);
    if (bgzf_close(out) != 0) state.SkipWithError("cannot write");
  }
  state.counters["records"] = benchmark::Counter(static_cast<double>(kRecords * state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

BENCHMARK(bgzf_copy)->Name("floor: bgzf to bgzf, bytes only")->UseRealTime();
BENCHMARK_CAPTURE(vcf_copy, vcf_to_vcf, "in.vcf", "out.vcf")->Arg(0)->UseRealTime();
BENCHMARK_CAPTURE(vcf_copy, vcfgz_to_vcfgz, "in.vcf.gz", "out.vcf.gz")
    ->Arg(0)
    ->Arg(2)
    ->UseRealTime();
BENCHMARK_CAPTURE(vcf_copy, vcfgz_to_bcf, "in.vcf.gz", "out.bcf")->Arg(0)->Arg(2)->UseRealTime();
BENCHMARK_CAPTURE(vcf_copy, bcf_to_vcfgz, "in.bcf", "out.vcf.gz")->Arg(0)->Arg(2)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  std::error_code ignored;
  fs::remove_all(folder(), ignored);
}
