test_that("regions have the numbers of the whole", {
    whole <- perBaseScore(model(), genome()[2:3], score = "logp", window = 256)
    expect_s4_class(whole, "RleList")
    expect_identical(names(whole), c("synth_short", "synth_odd"))
    expect_identical(unname(lengths(whole)), c(300L, 1300L))
    regions <- GenomicRanges::GRanges(c(
        odd = "synth_odd:700-1300", short = "synth_short:5-5:-", again = "synth_odd:650-800"
    ))
    found <- perBaseScore(model(), genome(), regions, score = "logp", window = 256)
    expect_s4_class(found, "RleList")
    expect_identical(names(found), c("odd", "short", "again"))
    expect_identical(found$odd, whole$synth_odd[700:1300])
    expect_identical(found$short, whole$synth_short[5])
    expect_identical(found$again, whole$synth_odd[650:800])
    letters <- strsplit(as.character(genome()[[3]]), "")[[1]]
    expect_identical(is.na(as.numeric(whole$synth_odd)), !letters %in% c("A", "C", "G", "T"))
    none <- perBaseScore(model(), genome(), regions[0])
    expect_s4_class(none, "RleList")
    expect_length(none, 0L)
})

test_that("entropy lies between 0 and log 4, and is the default", {
    region <- GenomicRanges::GRanges("synth_main:245-444")
    found <- perBaseScore(model(), genome(), region)[[1]]
    expect_true(all(found >= 0 & found <= log(4) + 1e-6))
    logp <- perBaseScore(model(), genome(), region, score = "logp")[[1]]
    expect_true(all(logp <= 1e-6) && stats::cor(as.numeric(found), as.numeric(logp)) < -0.3)
})

test_that("a channel is that of the hidden states", {
    short <- genome()[2]
    found <- perBaseScore(model(), short, score = "channel:7", layer = 2, strand = "plus")
    rows <- embedSequences(model(), short, pool = "none", layer = 2, strand = "plus")[[1]]
    expect_identical(as.numeric(found[[1]]), rows[, 8])
})

test_that("values are those that the command writes", {
    skip_if_not_installed("rtracklayer")
    out <- tempfile(fileext = ".bw")
    command(
        "track", "--model", extdata("ecoli-caduceus-ps"), "--score", "entropy", "-o", out, fasta()
    )
    expected <- rtracklayer::import(out, as = "RleList")
    found <- perBaseScore(model(), fasta())
    for (contig in names(found)) {
        values <- as.numeric(found[[contig]])
        # A bigWig has nothing where there is no value, and rtracklayer makes 0 of it.
        values[is.na(values)] <- 0
        expect_identical(values, as.numeric(expected[[contig]])[seq_along(values)])
    }
})

test_that("what cannot be is named", {
    invalid <- function(call, pattern) {
        expect_error(call, pattern, class = "ssmgen_invalid_argument")
    }
    region <- GenomicRanges::GRanges("synth_main:1-9")
    invalid(perBaseScore(model(), genome(), region, score = "best"), "best")
    invalid(perBaseScore(model(), genome(), region, score = "channel:128"), "channel 128")
    invalid(perBaseScore(model(), genome(), region, score = NaN), "NaN")
    invalid(perBaseScore(model(), genome(), region, strand = "concat"), "strand")
    invalid(perBaseScore(model(), genome(), region, layer = 1), "^layer is for score channel:N")
    invalid(perBaseScore(model(), genome(), GenomicRanges::GRanges("y:1-9")), "contig y")
    invalid(perBaseScore(model(), genome(), GenomicRanges::GRanges("synth_main:0-9")), "region 1")
    invalid(perBaseScore(model(), genome(), "synth_main:1-9"), "GRanges")
    invalid(perBaseScore(3, genome()), "SSMModel")
    expect_error(perBaseScore(model(), "/no.fa"), "/no.fa", class = "ssmgen_format_error")
})
