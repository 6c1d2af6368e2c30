bits <- function(values) writeBin(as.numeric(values), raw(), size = 4L)

reads <- c(
    first = "ATGAAACGCATTAGCACCACCATTACCACCACCATCACCATTACC", second = "acgtnACGT", third = "TTTT"
)

test_that("sequences give a row each", {
    found <- embedSequences(model(), reads)
    expect_identical(dim(found), c(3L, 128L))
    expect_identical(rownames(found), names(reads))
    expect_true(all(is.finite(found)))
    expect_identical(embedSequences(model(), Biostrings::DNAStringSet(reads)), found)
    expect_identical(
        embedSequences(model(), Biostrings::DNAString(reads[[1]])), unname(found[1, , drop = FALSE])
    )
    expect_identical(embedSequences(model(), reads, batch = 1), found)
})

test_that("layers, pools and strands have the shapes that are told", {
    all <- embedSequences(model(), reads, layer = "all")
    expect_identical(names(all), c(0:5, "last"))
    expect_identical(all$last, embedSequences(model(), reads))
    expect_identical(all[["3"]], embedSequences(model(), reads, layer = 3))
    rows <- embedSequences(model(), reads, pool = "none")
    expect_identical(vapply(rows, nrow, 1L), nchar(reads))
    # Pooled numbers are sums in f64 of f32 rows, then f32.
    expect_identical(bits(colMeans(rows$first)), bits(embedSequences(model(), reads)["first", ]))
    expect_identical(
        unname(apply(rows$second, 2, max)),
        unname(embedSequences(model(), reads, pool = "max")["second", ])
    )
    plus <- embedSequences(model(), reads, strand = "plus")
    minus <- embedSequences(model(), reads, strand = "minus")
    expect_identical(embedSequences(model(), reads, strand = "concat"), cbind(plus, minus))
    skipped <- embedSequences(model(), "ACGTNNNN", skipN = TRUE)
    expect_false(identical(skipped, embedSequences(model(), "ACGTNNNN")))
    expect_true(all(is.na(embedSequences(model(), "NNNN", skipN = TRUE))))
})

test_that("a minus strand is the complement's plus strand", {
    sequences <- Biostrings::DNAStringSet(reads)
    plus <- embedSequences(model(), Biostrings::reverseComplement(sequences), strand = "plus")
    minus <- embedSequences(model(), sequences, strand = "minus")
    expect_equal(minus, plus, tolerance = 1e-5)
})

test_that("regions are those of the genome, on their strand", {
    regions <- GenomicRanges::GRanges(c(a = "synth_main:245-400:+", b = "synth_main:900-1000:-"))
    found <- embedRegions(model(), regions, genome())
    expect_s4_class(found, "RangedSummarizedExperiment")
    expect_identical(SummarizedExperiment::rowRanges(found), regions)
    expect_identical(colnames(found)[c(1, 128)], c("c0", "c127"))
    expect_identical(S4Vectors::metadata(found)$ssmgen$pool, "mean")
    main <- genome()[[1]]
    sequences <- Biostrings::DNAStringSet(list(
        Biostrings::subseq(main, 245, 400),
        Biostrings::reverseComplement(Biostrings::subseq(main, 900, 1000))
    ))
    expected <- embedSequences(model(), sequences)
    states <- SummarizedExperiment::assay(found, "embedding")
    expect_identical(bits(states), bits(expected))
    ofPlus <- embedRegions(model(), regions, fasta(), strand = "plus", progress = FALSE)
    expect_identical(
        bits(SummarizedExperiment::assay(ofPlus)),
        bits(embedSequences(model(), sequences, strand = "plus"))
    )
    made <- S4Vectors::metadata(ofPlus)$ssmgen
    expect_identical(made[c("pool", "strand")], list(pool = "mean", strand = "plus"))
    expect_null(made$progress)
    expect_identical(dim(embedRegions(model(), regions[0], genome())), c(0L, 128L))
})

test_that("no sequences give no rows", {
    expect_identical(dim(embedSequences(model(), character())), c(0L, 128L))
    expect_identical(dim(embedSequences(model(), Biostrings::DNAStringSet())), c(0L, 128L))
})

test_that("a million bases are no trouble", {
    small <- loadModel(sourceFile("test_data", "golden", "caduceus_ps"))
    long <- strrep("ACGTTGCA", 125000)
    found <- embedSequences(small, long, window = 4096, stride = 4096)
    expect_true(all(is.finite(found)) && nrow(found) == 1L)
})

test_that("sequences and settings that cannot be are named", {
    invalid <- function(call, pattern) {
        expect_error(call, pattern, class = "ssmgen_invalid_argument")
    }
    embed <- function(...) embedSequences(model(), ...)
    invalid(embed(c("ACGT", "")), "sequence 2: it is empty")
    invalid(embed(c("ACGT", NA)), "sequence 2: it is NA")
    invalid(embed(c("ACGT", "ACGTEFG")), "sequence 2: 'E' at 5 is no letter of DNA")
    invalid(embed("ACGT ACG"), "' ' at 5")
    invalid(embed("AC\u00e9"), "sequence 1: '(\u00e9|<U\\+00E9>)' at 3 is no letter")
    invalid(embed("AC\xe9"), "'\\\\xe9' at 3")
    invalid(embed("AC\n"), "'\\\\n' at 3")
    invalid(embed(fasta()), "demo.fa' is the name of a file.*readDNAStringSet")
    invalid(embed("ACGU"), "'U' at 4")
    invalid(embed(Biostrings::DNAStringSet("AC-GT")), "'-' at 3")
    invalid(embed(NaN), "numeric")
    invalid(embed("ACGT", layer = 99), "99")
    invalid(embed("ACGT", layer = NaN), "layer")
    invalid(embed("ACGT", layer = list(1)), "layer: expected one layer")
    invalid(embed("ACGT", whole = TRUE, window = 8), "^whole reads .* leave window and stride out$")
    invalid(embed("ACGT", progress = 3), "progress: expected TRUE, FALSE or a function")
    invalid(embed("ACGT", pool = "median"), "median")
    invalid(embed("ACGT", strand = "both"), "both")
    invalid(embed("ACGT", window = 10, stride = 20), "stride")
    invalid(embed("ACGT", whole = NA), "whole")
    regions <- GenomicRanges::GRanges("synth_short:290-310")
    invalid(embedRegions(model(), regions, genome()), "region 1: synth_short:290-310")
    invalid(
        embedRegions(model(), GenomicRanges::GRanges("x:1-5"), genome()),
        "region 1: contig x is not in the DNAStringSet, whose first is synth_main"
    )
    empty <- GenomicRanges::GRanges("synth_short", IRanges::IRanges(c(9, 10), c(9, 9)))
    invalid(embedRegions(model(), empty, genome()), "region 2 .synth_short:10-9.: it is empty")
    invalid(embedRegions(model(), "x:1-5", genome()), "GRanges")
    invalid(embedRegions(model(), regions, genome(), pool = "none"), "one row")
    invalid(embedRegions("model", regions, genome()), "SSMModel")
})
