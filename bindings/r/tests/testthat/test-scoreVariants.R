bits <- function(values) writeBin(as.numeric(values), raw(), size = 4L)

readExpected <- function(path) utils::read.table(path, header = TRUE, sep = "\t")

test_that("scores are those of the float64 model", {
    expected <- readExpected(sourceFile("test_data", "expected", "demo.tsv"))[1:60, ]
    found <- scoreVariants(
        model(), ranges(expected$pos, expected$ref, expected$alt, expected$chrom), genome(),
        modes = c("masked", "unmasked")
    )
    expect_lt(max(abs(found$SSM_MASKED - expected$masked)), 1e-4)
    expect_lt(max(abs(found$SSM_UNMASKED - expected$unmasked)), 1e-4)
    expect_true(all(is.na(found$SSM_REASON)))
    expect_identical(found$REF, expected$ref)
})

test_that("the window follows edge near the ends of a contig", {
    for (edge in c("shift", "pad")) {
        expected <- readExpected(sourceFile("test_data", "expected", paste0("edge_", edge, ".tsv")))
        found <- scoreVariants(
            model(), ranges(expected$pos, expected$ref, expected$alt, expected$chrom), genome(),
            edge = edge
        )
        expect_lt(max(abs(found$SSM_MASKED - expected$masked)), 1e-4)
    }
})

test_that("scores are those of the reference implementation", {
    expected <- readExpected(sharedFile("golden", "zero_shot", "expected.tsv"))
    expected <- expected[seq(1, nrow(expected), 7), ]
    sequences <- Biostrings::readDNAStringSet(sharedFile("golden", "zero_shot", "ref.fa"))
    found <- scoreVariants(
        model(), ranges(expected$pos, expected$ref, expected$alt, expected$chrom), sequences,
        modes = c("masked", "unmasked"), window = 512, edge = "pad"
    )
    expect_lt(max(abs(found$SSM_MASKED - expected$masked_llr)), 1e-3)
    expect_lt(max(abs(found$SSM_UNMASKED - expected$unmasked_llr)), 1e-3)
})

test_that("scores of E. coli are those of the reference implementation", {
    expected <- readExpected(sharedFile("data", "ecoli_kinds.expected.tsv"))
    expected <- expected[seq(1, nrow(expected), 60), ]
    sequences <- Biostrings::readDNAStringSet(sharedFile("data", "ecoli_k12_mg1655.fna.gz"))
    found <- scoreVariants(
        model(), ranges(expected$pos, expected$ref, expected$alt, "NC_000913.3"), sequences,
        window = 512
    )
    expect_lt(max(abs(found$SSM_MASKED - expected$masked_llr)), 1e-3)
})

test_that("a genome may be a DNAStringSet, a path, an FaFile or a BSgenome", {
    variants <- ranges(c(642, 728, 839, 40000), c("A", "C", "G", "A"), c("G", "T", "T", "C"))
    variants$REF[4] <- as.character(Biostrings::subseq(genome()[[1]], 40000, 40000))
    variants$ALT[4] <- setdiff(c("A", "C", "G", "T"), variants$REF[4])[1]
    scores <- function(genome) scoreVariants(model(), variants, genome)$SSM_MASKED
    expected <- scores(genome())
    expect_false(anyNA(expected))
    expect_identical(scores(fasta()), expected)
    skip_if_not_installed("Rsamtools")
    expect_identical(scores(Rsamtools::FaFile(fasta())), expected)
    skip_if_not_installed("BSgenome")
    skip_if_not_installed("rtracklayer")
    folder <- tempfile("bsgenome-")
    dir.create(folder)
    main <- Biostrings::DNAStringSet(c(synth_main = as.character(genome()[[1]])))
    rtracklayer::export(main, rtracklayer::TwoBitFile(file.path(folder, "single_sequences.2bit")))
    bsgenome <- BSgenome::BSgenome(
        organism = "Made up", common_name = "made up", genome = "demo", provider = "ssmgen",
        release_date = "2026", source_url = "none", seqnames = "synth_main",
        circ_seqs = character(), mseqnames = NULL, seqs_pkgname = "none", seqs_dirpath = folder
    )
    expect_identical(scores(bsgenome), expected)
})

test_that("VCF, VRanges and GRanges get the same numbers", {
    vcf <- VariantAnnotation::readVcf(extdata("demo.vcf"))[1:12]
    collapsed <- scoreVariants(model(), vcf, genome())
    expected <- unlist(VariantAnnotation::info(collapsed)$SSM_MASKED)
    expect_s4_class(collapsed, "CollapsedVCF")
    expect_s4_class(VariantAnnotation::info(collapsed)$SSM_MASKED, "NumericList")
    expanded <- scoreVariants(model(), VariantAnnotation::expand(vcf), genome())
    expect_identical(VariantAnnotation::info(expanded)$SSM_MASKED, expected)
    asRanges <- SummarizedExperiment::rowRanges(vcf)
    expect_identical(unlist(scoreVariants(model(), asRanges, genome())$SSM_MASKED), expected)
    vranges <- VariantAnnotation::VRanges(
        GenomicRanges::seqnames(asRanges), IRanges::ranges(asRanges),
        ref = as.character(asRanges$REF), alt = as.character(unlist(asRanges$ALT))
    )
    found <- scoreVariants(model(), vranges, genome())
    expect_s4_class(found, "VRanges")
    expect_identical(found$SSM_MASKED, expected)
    made <- S4Vectors::metadata(found)$ssmgen
    expect_identical(made[c("model", "modes", "window", "device")], list(
        model = "ecoli-caduceus-ps", modes = "masked", window = 512, device = "cpu"
    ))
})

test_that("a VCF keeps its columns and is written and read again", {
    vcf <- VariantAnnotation::readVcf(extdata("demo.vcf"))[1:3]
    scored <- scoreVariants(model(), vcf, genome(), modes = c("unmasked", "masked"))
    fields <- VariantAnnotation::info(VariantAnnotation::header(scored))
    expect_true(all(c("SSM_UNMASKED", "SSM_MASKED", "SSM_REASON") %in% rownames(fields)))
    expect_identical(fields["SSM_MASKED", "Type"], "Float")
    expect_match(fields["SSM_UNMASKED", "Description"], "REF in place")
    expect_identical(
        VariantAnnotation::info(scored)$KIND, VariantAnnotation::info(vcf)$KIND
    )
    file <- tempfile(fileext = ".vcf")
    # Some versions of VariantAnnotation warn of a NULL of their own.
    suppressWarnings(VariantAnnotation::writeVcf(scored, file))
    again <- VariantAnnotation::info(VariantAnnotation::readVcf(file))
    expect_equal(again$SSM_MASKED, VariantAnnotation::info(scored)$SSM_MASKED, tolerance = 1e-6)
})

test_that("every record of the edge cases has the command's numbers and reasons", {
    out <- tempfile(fileext = ".vcf")
    command(
        "score", "-q", "--model", extdata("ecoli-caduceus-ps"), "--fasta", fasta(), "-o", out,
        extdata("edge_cases.vcf")
    )
    # The last record ends beyond its contig, which GenomicRanges warns of.
    expected <- suppressWarnings(VariantAnnotation::readVcf(out))
    vcf <- suppressWarnings(VariantAnnotation::readVcf(extdata("edge_cases.vcf")))
    said <- capture_warnings(found <- scoreVariants(model(), vcf, genome()))
    expect_length(said[grepl("^variants: record", said)], 4L)
    expect_match(said[1], "record 19: REF at synth_main:1600 is A, but the DNAStringSet has T")
    scores <- unlist(VariantAnnotation::info(found)$SSM_MASKED)
    expect_equal(scores, unlist(VariantAnnotation::info(expected)$SSM_MASKED), tolerance = 1e-5)
    reasons <- unlist(VariantAnnotation::info(found)$SSM_REASON)
    expect_identical(is.na(reasons), !is.na(scores))
    expect_identical(as.integer(table(reasons)[c("breakend", "no_contig", "unsupported_kind")]),
        c(2L, 2L, 5L))
    # In the command's file a record without an ALT has no value, and no reason.
    ofCommand <- VariantAnnotation::info(expected)$SSM_REASON
    withReason <- unlist(ofCommand)[!unlist(ofCommand) %in% c(".", NA)]
    expect_setequal(setdiff(reasons, NA), union(withReason, "missing_alt"))
})

test_that("what cannot be scored says why", {
    variants <- ranges(
        c(900, 1600, 5, 100, 40000000, 1000, 0, 900),
        c("C", "A", "A", "T", "A", "A", "A", "c"),
        c("A", "C", "C", "TACG", "C", "<DEL>", "C", "t"),
        rep(c("synth_main", "nowhere", "synth_main"), c(2, 1, 5))
    )
    found <- suppressWarnings(scoreVariants(model(), variants, genome(), window = 64))
    expect_identical(found$SSM_REASON, c(
        NA, "ref_mismatch", "no_contig", "unsupported_kind", "off_contig", "symbolic",
        "off_contig", NA
    ))
    expect_identical(is.na(found$SSM_MASKED), !is.na(found$SSM_REASON))
    missing <- ranges(900, "C", NA_character_)
    expect_identical(scoreVariants(model(), missing, genome())$SSM_REASON, "missing_alt")
    expect_warning(
        scoreVariants(model(), variants[2], genome()), "ref_mismatch", class = "ssmgen_warning"
    )
    expect_error(
        scoreVariants(model(), variants[2], genome(), checkRef = "error"),
        "REF at synth_main:1600 .* or checkRef warn to leave such records unscored",
        class = "ssmgen_format_error"
    )
    expect_warning(scoreVariants(model(), variants[2], genome(), checkRef = "skip"), NA)
})

test_that("ALT may be a list", {
    variants <- ranges(c(900, 728), c("C", "C"), c("x", "x"))
    variants$ALT <- IRanges::CharacterList(c("A", "G", "T"), "T")
    found <- scoreVariants(model(), variants, genome(), tagPrefix = "S")
    expect_identical(lengths(found$S_MASKED), c(3L, 1L))
    expect_identical(lengths(found$S_REASON), c(3L, 1L))
    variants$ALT <- Biostrings::DNAStringSetList(c("A", "G", "T"), "T")
    variants$REF <- IRanges::CharacterList("C", "C")
    expect_identical(
        scoreVariants(model(), variants, genome())$SSM_MASKED, found$S_MASKED
    )
    single <- scoreVariants(model(), ranges(rep(900, 3), "C", c("A", "G", "T")), genome())
    expect_identical(single$SSM_MASKED, found$S_MASKED[[1]])
})

test_that("no bit depends on the batch, the order or the block of a genome", {
    variants <- ranges(c(642, 728, 839, 844), c("A", "C", "G", "C"), c("G", "T", "T", "G"))
    expected <- scoreVariants(model(), variants, genome(), window = 128)
    turned <- scoreVariants(model(), rev(variants), genome(), window = 128, batch = 1)
    expect_identical(bits(rev(turned$SSM_MASKED)), bits(expected$SSM_MASKED))
})

test_that("contigs that go by another name are found, and it is said", {
    other <- genome()[1]
    names(other) <- "chr1"
    variants <- ranges(728, "C", "T", "1")
    expect_message(
        found <- scoreVariants(model(), variants, other), "contig 1 is chr1 of the DNAStringSet",
        class = "ssmgen_note"
    )
    expect_identical(
        found$SSM_MASKED, scoreVariants(model(), ranges(728, "C", "T"), genome())$SSM_MASKED
    )
})

test_that("columns are replaced only when it is wanted", {
    once <- scoreVariants(model(), ranges(728, "C", "T"), genome())
    expect_error(
        scoreVariants(model(), once, genome()), "overwrite", class = "ssmgen_invalid_argument"
    )
    expect_identical(scoreVariants(model(), once, genome(), overwrite = TRUE), once)
    twice <- scoreVariants(model(), once, genome(), tagPrefix = "B", window = 100)
    expect_false(twice$B_MASKED == twice$SSM_MASKED)
    vcf <- scoreVariants(model(), VariantAnnotation::readVcf(extdata("demo.vcf"))[1], genome())
    expect_error(scoreVariants(model(), vcf, genome()), "SSM_MASKED",
        class = "ssmgen_invalid_argument")
    # A column that an earlier version of the header declared, in no record.
    expect_error(scoreVariants(model(), vcf[0], genome()), class = "ssmgen_invalid_argument")
})

test_that("no variants give no scores", {
    found <- scoreVariants(model(), ranges(728, "C", "T")[0], genome())
    expect_length(found, 0L)
    expect_identical(found$SSM_MASKED, numeric())
    vcf <- VariantAnnotation::readVcf(extdata("demo.vcf"))[0]
    expect_length(VariantAnnotation::info(scoreVariants(model(), vcf, genome()))$SSM_MASKED, 0L)
})

test_that("a causal model scores causally", {
    causal <- loadModel(sourceFile("test_data", "golden", "caduceus_causal"))
    found <- scoreVariants(causal, ranges(900, "C", "A"), genome(), window = 64)
    expect_true(is.finite(found$SSM_CAUSAL))
    expect_error(
        scoreVariants(causal, ranges(900, "C", "A"), genome(), modes = "masked"),
        "use modes causal",
        class = "ssmgen_invalid_argument"
    )
})

test_that("variants that cannot be are named", {
    score <- function(variants, genomeOf = genome(), ...) {
        scoreVariants(model(), variants, genomeOf, ...)
    }
    invalid <- function(call, pattern) {
        expect_error(call, pattern, class = "ssmgen_invalid_argument")
    }
    invalid(score(ranges(c(900, -5), "C", "A")), "variant 2 .synth_main:-5.: position -5 is")
    invalid(score(ranges(900, NA_character_, "A")), "variant 1 .*no REF")
    invalid(score(ranges(900, NaN, "A")), "REF: expected text or a DNAStringSet, not numeric")
    invalid(score(ranges(900, "C", 1L)), "ALT: expected text or a DNAStringSet, not integer")
    lists <- ranges(c(900, 901), "C", "A")
    lists$REF <- IRanges::CharacterList("C", c("A", "G"))
    invalid(score(lists), "variant 2: expected one REF, not 2")
    invalid(score(GenomicRanges::GRanges("synth_main:900")), "no column REF .it has none at all.")
    invalid(score(GenomicRanges::GRanges("synth_main:900:-", REF = "C", ALT = "A")), "minus strand")
    invalid(score("synth_main:900"), "character")
    invalid(score(ranges(900, "C", "A"), 7), "numeric")
    invalid(score(ranges(900, "C", "A"), modes = "best"), "best")
    invalid(score(ranges(900, "C", "A"), modes = NaN), "masked, unmasked or causal, not NaN")
    invalid(score(ranges(900, "C", "A"), window = 2^40), "window: .* from 0 to 4294967296, not")
    invalid(score(ranges(900, "C", "A"), window = NaN), "window.*NaN")
    invalid(score(ranges(900, "C", "A"), window = -1), "window.*-1")
    invalid(score(ranges(900, "C", "A"), edge = "cut"), "cut")
    invalid(score(ranges(900, "C", "A"), strand = "both"), "both")
    invalid(score(ranges(900, "C", "A"), tagPrefix = "1 bad"), "1 bad")
    invalid(score(ranges(900, "C", "A"), progress = NA), "progress")
    invalid(score(ranges(900, "C", "A"), unname(genome())), "names of the contigs")
    invalid(score(ranges(900, "C", "A"), genome()[c(1, 1)]), "named 'synth_main'")
    invalid(score(ranges(900, "C", "A"), genome()[0]), "DNAStringSet is empty")
    invalid(score(ranges(900, "C", "A"), checkRef = "maybe"), "^checkRef 'maybe' is not known")
    expect_error(score(ranges(900, "C", "A"), "/no.fa"), "/no.fa", class = "ssmgen_format_error")
    expect_warning(
        expect_error(
            score(ranges(rep(900, 20), "C", "A", "other")), "wrong reference",
            class = "ssmgen_format_error"
        ),
        "contig other is not in the DNAStringSet", class = "ssmgen_warning"
    )
})
