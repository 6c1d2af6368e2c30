// Hidden states of sequences: in memory, and from file to file.

#include <functional>
#include <pybind11/functional.h>
#include <tuple>

#include "bindings.hpp"

namespace ssmgen::python {

namespace {

py::tuple embed(ModelHandle& handle, const std::vector<std::string>& sequences,
                const EmbedSettings& settings, py::object progress) {
  Observer observer(std::move(progress), py::none(), py::none(), py::none());
  EmbedArray array = handle.run([&](const Model& model) {
    return embed_sequences(model, sequences, settings,
                           [&](const EmbedProgress& now) { observer.on_progress(now); });
  });
  const auto offsets = static_cast<py::ssize_t>(array.first_rows.size());
  return py::make_tuple(
      array_of(std::move(array.values), {array.layers, array.rows, array.channels}),
      array_of(std::move(array.first_rows), {offsets}));
}

// Regions are (contig, begin, end, is on the minus strand).
std::vector<std::string> fetch(
    const std::vector<std::tuple<std::string, std::int64_t, std::int64_t, bool>>& rows,
    const std::string& fasta, const std::function<void(const std::string&)>& warning) {
  std::vector<GenomeRegion> regions;
  regions.reserve(rows.size());
  for (const auto& [contig, begin, end, is_minus] : rows) {
    regions.push_back({contig, begin, end, is_minus});
  }
  return fetch_regions(*open_fasta(fasta, warning), regions);
}

EmbedSummary embed_to_files(ModelHandle& handle, const EmbedOptions& options, py::object progress,
                            py::object plan, py::object note, py::object warning) {
  Observer observer(std::move(progress), std::move(plan), std::move(note), std::move(warning));
  return handle.run([&](const Model& model) { return embed_files(model, options, observer); });
}

// Returns the rows, {column: values} that tell of the reads, and the summary.
py::tuple embed_file_of_reads(ModelHandle& handle, const EmbedOptions& options, py::object progress,
                              py::object note, py::object warning) {
  Observer observer(std::move(progress), py::none(), std::move(note), std::move(warning));
  ReadEmbeddings found =
      handle.run([&](const Model& model) { return embed_reads(model, options, observer); });
  const std::int64_t reads = found.summary.records;
  const auto numbers = [&](std::vector<std::int64_t>&& values) {
    return array_of(std::move(values), {reads});
  };
  py::list strands;
  for (const char strand : found.strands) strands.append(py::str(&strand, 1));
  py::dict columns;
  columns["name"] = found.names;
  columns["contig"] = found.contigs;
  columns["begin"] = numbers(std::move(found.begins));
  columns["end"] = numbers(std::move(found.ends));
  columns["strand"] = std::move(strands);
  columns["flag"] = numbers(std::move(found.flags));
  columns["mapq"] = numbers(std::move(found.mapqs));
  columns["read_group"] = found.read_groups;
  columns["bases"] = numbers(std::move(found.pooled_bases));
  return py::make_tuple(array_of(std::move(found.values), {reads, found.channels}),
                        std::move(columns), found.summary);
}

}  // namespace

void bind_embed(py::module_& module) {
  py::class_<EmbedSettings>(module, "EmbedSettings")
      .def(py::init<>())
      .def_readwrite("layer", &EmbedSettings::layer)
      .def_property(
          "pool", [](const EmbedSettings& self) { return embed_pooling_name(self.pooling); },
          [](EmbedSettings& self, const std::string& text) {
            self.pooling = parse_embed_pooling(text);
          })
      .def_property(
          "strand",
          [](const EmbedSettings& self) { return std::string(embed_strand_name(self.strand)); },
          [](EmbedSettings& self, const std::string& text) {
            self.strand = parse_embed_strand(text);
          })
      .def_readwrite("window", &EmbedSettings::window_bases)
      .def_readwrite("stride", &EmbedSettings::stride_bases)
      .def_readwrite("whole", &EmbedSettings::whole)
      .def_readwrite("per_window", &EmbedSettings::per_window)
      .def_readwrite("skip_n", &EmbedSettings::skip_n)
      .def_readwrite("batch", &EmbedSettings::batch_windows)
      .def_readwrite("scratch", &EmbedSettings::scratch);
  py::class_<EmbedOptions>(module, "EmbedOptions")
      .def(py::init<>())
      .def_readwrite("settings", &EmbedOptions::settings)
      .def_readwrite("input", &EmbedOptions::input)
      .def_readwrite("fasta", &EmbedOptions::fasta)
      .def_readwrite("bed", &EmbedOptions::bed)
      .def_readwrite("regions", &EmbedOptions::regions)
      .def_readwrite("require_flags", &EmbedOptions::require_flags)
      .def_readwrite("exclude_flags", &EmbedOptions::exclude_flags)
      .def_readwrite("min_mapq", &EmbedOptions::min_mapq)
      .def_property(
          "orientation",
          [](const EmbedOptions& self) {
            return self.orientation == ReadOrientation::reference ? "reference" : "sequenced";
          },
          [](EmbedOptions& self, const std::string& text) {
            self.orientation = parse_read_orientation(text);
          })
      .def_readwrite("output", &EmbedOptions::output)
      .def_readwrite("output_type", &EmbedOptions::output_type)
      .def_readwrite("chunk_rows", &EmbedOptions::chunk_rows)
      .def_readwrite("max_output_bytes", &EmbedOptions::max_output_bytes)
      .def_readwrite("yes", &EmbedOptions::yes)
      .def_readwrite("resume", &EmbedOptions::resume)
      .def_readwrite("dry_run", &EmbedOptions::dry_run)
      .def_readwrite("write_version", &EmbedOptions::write_version)
      .def_readwrite("command_line", &EmbedOptions::command_line)
      .def_readwrite("io_threads", &EmbedOptions::io_threads);
  py::class_<EmbedSummary>(module, "EmbedSummary",
                           "What a run of embed_files() or embed_bam() did.")
      .def_readonly("records", &EmbedSummary::records)
      .def_readonly("bases", &EmbedSummary::bases)
      .def_readonly("rows", &EmbedSummary::rows)
      .def_readonly("windows", &EmbedSummary::windows, "passed through the model")
      .def_readonly("empty_records", &EmbedSummary::empty_records,
                    "pooled over no base: their rows are NaN")
      .def_readonly("reads_without_sequence", &EmbedSummary::reads_without_sequence, "left out")
      .def_readonly("seconds", &EmbedSummary::seconds);
  module.def("embed", &embed, py::arg("model"), py::arg("sequences"), py::arg("settings"),
             py::arg("progress"));
  module.def("fetch_regions", &fetch, py::arg("regions"), py::arg("fasta"), py::arg("warning"),
             py::call_guard<py::gil_scoped_release>());
  module.def("embed_files", &embed_to_files, py::arg("model"), py::arg("options"),
             py::arg("progress"), py::arg("plan"), py::arg("note"), py::arg("warning"));
  module.def("embed_reads", &embed_file_of_reads, py::arg("model"), py::arg("options"),
             py::arg("progress"), py::arg("note"), py::arg("warning"));
}

}  // namespace ssmgen::python
