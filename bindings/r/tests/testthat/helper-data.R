# Data that come with the package, and those of the project where it is there.

extdata <- function(name) {
    found <- system.file("extdata", name, package = "ssmgen")
    stopifnot(nzchar(found))
    found
}

# SSMGEN_SOURCE_DIR is the project's folder; its tests set it.
sourceFile <- function(...) {
    folder <- Sys.getenv("SSMGEN_SOURCE_DIR")
    skip_if(!nzchar(folder), "SSMGEN_SOURCE_DIR is not set")
    found <- file.path(folder, ...)
    skip_if(!file.exists(found), paste("there is no", found))
    found
}

sharedFile <- function(...) {
    sourceFile("..", "shared", ...)
}

# The command that the project built, and what it writes to standard output.
command <- function(...) {
    program <- Sys.getenv("SSMGEN_COMMAND")
    skip_if(!nzchar(program), "SSMGEN_COMMAND is not set")
    status <- system2(program, shQuote(c(...)), stderr = FALSE)
    expect_identical(status, 0L)
}

model <- local({
    loaded <- NULL
    function() {
        if (is.null(loaded)) loaded <<- loadModel(extdata("ecoli-caduceus-ps"))
        loaded
    }
})

genome <- local({
    read <- NULL
    function() {
        if (is.null(read)) read <<- Biostrings::readDNAStringSet(extdata("demo.fa"))
        read
    }
})

# A copy, since an index is made beside it.
fasta <- function() {
    copy <- file.path(tempdir(), "demo.fa")
    if (!file.exists(copy)) file.copy(extdata("demo.fa"), copy)
    copy
}

ranges <- function(positions, ref, alt, contig = "synth_main") {
    GenomicRanges::GRanges(
        contig, IRanges::IRanges(positions, width = 1L), REF = ref, ALT = alt
    )
}

# R's own test environment is told of no more than this.
rscript <- function(code, ...) {
    file <- tempfile(fileext = ".R")
    writeLines(c(sprintf(".libPaths(%s)", paste(deparse(.libPaths()), collapse = "")), code), file)
    system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", file), ...)
}
