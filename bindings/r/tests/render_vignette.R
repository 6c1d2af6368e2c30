# Rscript render_vignette.R FILE FOLDER
for (name in c("knitr", "rmarkdown", "ggplot2", "BiocStyle")) {
    if (!requireNamespace(name, quietly = TRUE)) {
        cat("package", name, "is not installed: the vignette is not rendered\n")
        quit(status = 0L)
    }
}
if (!rmarkdown::pandoc_available()) {
    cat("pandoc is not installed: the vignette is not rendered\n")
    quit(status = 0L)
}
# No network: BiocStyle would ask which version of Bioconductor is current.
Sys.setenv(BIOCONDUCTOR_ONLINE_VERSION_DIAGNOSIS = "FALSE")
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[2L]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
# A copy, since rendering writes beside its source.
copy <- file.path(folder, basename(arguments[1L]))
file.copy(arguments[1L], copy, overwrite = TRUE)
made <- rmarkdown::render(copy, quiet = TRUE)
stopifnot(file.size(made) > 10000)
cat("rendered", made, "\n")
