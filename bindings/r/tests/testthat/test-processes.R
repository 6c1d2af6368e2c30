# Interrupts, progress, workers.

test_that("progress is told up to the total, and what it throws ends the call", {
    seen <- NULL
    tell <- function(done, total) seen <<- rbind(seen, c(done, total))
    embedSequences(model(), rep("ACGTTGCA", 5), batch = 1, progress = tell)
    expect_identical(seen[nrow(seen), ], c(40, 40))
    seen <- NULL
    scoreVariants(model(), ranges(c(728, 839), c("C", "G"), "T"), genome(), progress = tell)
    expect_identical(seen[nrow(seen), ], c(2, 2))
    expect_error(
        embedSequences(model(), "ACGT", progress = function(...) stop("enough")), "enough"
    )
    # The model is as good as before.
    expect_identical(dim(embedSequences(model(), "ACGT")), c(1L, 128L))
})

test_that("a bar goes to standard error, and nothing to standard output", {
    code <- sprintf(
        'suppressPackageStartupMessages(library(ssmgen))
         model <- loadModel("%s")
         x <- embedSequences(model, "ACGT", progress = TRUE)', extdata("ecoli-caduceus-ps")
    )
    bar <- tempfile()
    expect_identical(rscript(code, stdout = TRUE, stderr = bar), character())
    expect_match(paste(readLines(bar, warn = FALSE), collapse = ""), "100%")
})

test_that("an interrupt is heard within a second", {
    skip_on_os("windows")
    # One session for all of them, since loading the packages takes the most of it.
    code <- c(
        "suppressPackageStartupMessages(library(ssmgen))",
        sprintf("model <- loadModel('%s')", extdata("ecoli-caduceus-ps")),
        "bases <- function(text) Biostrings::DNAStringSet(c(c = text))",
        "variants <- GenomicRanges::GRanges('c', IRanges::IRanges(1:40000, width = 1), REF = 'A',",
        "    ALT = 'C')",
        "interrupted <- function(call) {",
        "    system(sprintf('(sleep 1.5; date +%%s.%%N; kill -INT %d) &', Sys.getpid()))",
        "    heard <- tryCatch({call; 'it was done before the signal came'},",
        "        interrupt = function(condition) 'heard')",
        "    cat(heard, format(as.numeric(Sys.time()), digits = 15), sep = '\n')",
        "}",
        "interrupted(embedSequences(model, rep(strrep('ACGTTGCA', 64), 50000)))",
        "interrupted(scoreVariants(model, variants, bases(strrep('A', 40000))))",
        "interrupted(perBaseScore(model, bases(strrep('ACGT', 500000))))"
    )
    said <- matrix(rscript(code, stdout = TRUE), 3L)
    expect_identical(said[2, ], rep("heard", 3L))
    # Within one, where nothing else runs.
    expect_true(all(as.numeric(said[3, ]) - as.numeric(said[1, ]) < 10))
})

test_that("SnowParam's workers load a model of their own", {
    skip_if_not_installed("BiocParallel")
    workers <- BiocParallel::bpstart(BiocParallel::SnowParam(2, exportglobals = FALSE))
    on.exit(BiocParallel::bpstop(workers))
    embed <- function(sequence, path) {
        ssmgen::embedSequences(ssmgen::loadModel(path, threads = 1), sequence)
    }
    found <- BiocParallel::bplapply(
        c("ACGTTGCA", "TTTT"), embed, path = extdata("ecoli-caduceus-ps"), BPPARAM = workers
    )
    expected <- list(embedSequences(model(), "ACGTTGCA"), embedSequences(model(), "TTTT"))
    expect_identical(found, expected)
    # A model that is sent there is another session's.
    sent <- BiocParallel::bptry(BiocParallel::bplapply(
        1:2, function(i, model) ssmgen::embedSequences(model, "ACGT"), model = model(),
        BPPARAM = workers
    ))
    expect_match(conditionMessage(sent[[1]]), "load it again with loadModel(path)", fixed = TRUE)
})

test_that("a forked child is told, and may load its own on the CPU", {
    skip_on_os("windows")
    skip_if_not_installed("parallel")
    loaded <- model()
    said <- function(expression) {
        tryCatch(expression, ssmgen_device_error = conditionMessage)
    }
    child <- parallel::mcparallel(list(
        said(embedSequences(loaded, "ACGT")), embedSequences(loadModel(loaded@path), "ACGT")
    ))
    found <- parallel::mccollect(child)[[1]]
    expect_match(found[[1]], "forked child.*load the model in the child, or use workers")
    expect_identical(found[[2]], embedSequences(loaded, "ACGT"))
})

test_that("CUDA after a fork is refused", {
    skip_on_os("windows")
    skip_if_not_installed("parallel")
    load <- function() {
        tryCatch(loadModel(extdata("ecoli-caduceus-ps"), "cuda:99"), error = conditionMessage)
    }
    # Whether there is a card or not: what was asked for may have opened the driver.
    expect_no_match(load(), "fork")
    child <- parallel::mcparallel(load())
    found <- parallel::mccollect(child)[[1]]
    expect_match(found, "CUDA does not outlive a fork.*SnowParam")
})
