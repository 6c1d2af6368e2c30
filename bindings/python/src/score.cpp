// Scores of variants: of a file, and in memory.

#include <tuple>

#include "bindings.hpp"

namespace ssmgen::python {

namespace {

ScoreSummary score(ModelHandle& handle, const ScoreOptions& options, py::object progress,
                   py::object note, py::object warning) {
  Observer observer(std::move(progress), py::none(), std::move(note), std::move(warning));
  return handle.run([&](const Model& model) { return score_vcf(model, options, observer); });
}

using Row = std::tuple<std::string, std::int64_t, std::string, std::string>;

// Rows are (contig, position from 0, REF, ALT). Returns {mode: scores} and the reasons.
py::tuple score_rows(ModelHandle& handle, const std::vector<Row>& rows, const std::string& fasta,
                     const ScoreOptions& options, py::object progress, py::object note,
                     py::object warning) {
  Observer observer(std::move(progress), py::none(), std::move(note), std::move(warning));
  observer.expect_records(static_cast<std::int64_t>(rows.size()));
  std::vector<Variant> variants;
  variants.reserve(rows.size());
  for (const auto& [contig, position, ref, alt] : rows) {
    variants.push_back({contig, position, ref, {alt}});
  }
  VariantScores scores = handle.run([&](const Model& model) {
    const std::unique_ptr<Genome> genome =
        open_fasta(fasta, [&](const std::string& text) { observer.on_warning(text); });
    return score_variants(model, variants, *genome, options, observer);
  });
  py::dict of_modes;
  for (std::size_t mode = 0; mode < scores.modes.size(); ++mode) {
    const auto first = scores.values.begin() + static_cast<std::int64_t>(mode) * scores.alleles;
    of_modes[py::str(std::string(score_mode_name(scores.modes[mode])))] =
        array_of(std::vector<float>(first, first + scores.alleles), {scores.alleles});
  }
  return py::make_tuple(std::move(of_modes), std::move(scores.reasons));
}

void set_modes(ScoreOptions& options, const std::vector<std::string>& names) {
  options.modes.clear();
  for (const std::string& name : names) options.modes.push_back(parse_score_mode(name));
}

std::vector<std::string> modes_of(const ScoreOptions& options) {
  std::vector<std::string> names;
  for (const ScoreMode mode : options.modes) names.emplace_back(score_mode_name(mode));
  return names;
}

}  // namespace

void bind_score(py::module_& module) {
  py::class_<ScoreOptions>(module, "ScoreOptions")
      .def(py::init<>())
      .def_readwrite("input", &ScoreOptions::input)
      .def_readwrite("fasta", &ScoreOptions::fasta)
      .def_readwrite("output", &ScoreOptions::output)
      .def_readwrite("output_type", &ScoreOptions::output_type)
      .def_readwrite("write_index", &ScoreOptions::write_index)
      .def_property("modes", &modes_of, &set_modes)
      .def_readwrite("window", &ScoreOptions::window_bases)
      .def("set_edge",
           [](ScoreOptions& self, const std::string& name) { self.edge = parse_window_edge(name); })
      .def("set_strand", [](ScoreOptions& self,
                            const std::string& name) { self.strand = parse_strand_choice(name); })
      .def("set_check_ref", [](ScoreOptions& self,
                               const std::string& name) { self.check_ref = parse_check_ref(name); })
      .def_readwrite("tag_prefix", &ScoreOptions::tag_prefix)
      .def_readwrite("overwrite", &ScoreOptions::overwrite)
      .def_readwrite("write_version", &ScoreOptions::write_version)
      .def_readwrite("command_line", &ScoreOptions::command_line)
      .def_readwrite("regions", &ScoreOptions::regions)
      .def_readwrite("regions_file", &ScoreOptions::regions_file)
      .def_readwrite("targets", &ScoreOptions::targets)
      .def_readwrite("targets_file", &ScoreOptions::targets_file)
      .def_readwrite("regions_overlap", &ScoreOptions::regions_overlap)
      .def_readwrite("targets_overlap", &ScoreOptions::targets_overlap)
      .def_readwrite("io_threads", &ScoreOptions::io_threads)
      .def_readwrite("batch", &ScoreOptions::batch_windows);
  py::class_<ScoreSummary>(module, "ScoreSummary", "What a run of score_vcf() did.")
      .def_readonly("records", &ScoreSummary::records, "read and written")
      .def_readonly("alleles", &ScoreSummary::alleles, "ALTs of all records")
      .def_readonly("scored_alleles", &ScoreSummary::scored_alleles, "with a value in every mode")
      .def_readonly("unscored_by_reason", &ScoreSummary::unscored_by_reason)
      .def_readonly("ref_mismatches", &ScoreSummary::ref_mismatches, "records")
      .def_readonly("windows", &ScoreSummary::windows, "passed through the model")
      .def_readonly("seconds", &ScoreSummary::seconds);
  module.def("score_vcf", &score, py::arg("model"), py::arg("options"), py::arg("progress"),
             py::arg("note"), py::arg("warning"));
  module.def("score_variants", &score_rows, py::arg("model"), py::arg("rows"), py::arg("fasta"),
             py::arg("options"), py::arg("progress"), py::arg("note"), py::arg("warning"));
}

}  // namespace ssmgen::python
