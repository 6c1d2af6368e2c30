# Rscript run_file.R FILE: one file of tests/testthat, with the skipped tests and why at the end.
library(testthat)
library(ssmgen)

file <- commandArgs(trailingOnly = TRUE)
local_edition(3)
results <- test_file(
    file, package = "ssmgen", load_package = "installed", reporter = CheckReporter$new(),
    stop_on_failure = TRUE
)
expectations <- unlist(lapply(results, `[[`, "results"), recursive = FALSE)
skipped <- Filter(function(result) inherits(result, "skip"), expectations)
for (skip in skipped) cat("skipped:", conditionMessage(skip), "\n")
