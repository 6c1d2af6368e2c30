#' Scores of variants
#'
#' A score is `log p(ALT) - log p(REF)`, natural logarithm, p over A, C, G and T: -2.8 says that the
#' model finds ALT 16 times less likely than REF at that place. Numbers, windows and reasons are
#' those of the command `ssmgen score`.
#'
#' @param model An [SSMModel-class].
#' @param variants A `VCF` (collapsed or expanded), a `VRanges`, or a `GRanges` with the columns REF
#'   and ALT: text, a `DNAStringSet`, or for ALT a list of them. A variant begins where its range
#'   begins; REF and ALT are read as on the plus strand, as in a VCF.
#' @param genome The reference: the path of a FASTA (plain or bgzip), an `FaFile`, a `DNAStringSet`
#'   with the names of the contigs, or a `BSgenome`. `chr1` and `1`, `chrM` and `MT` are taken for
#'   the same contig when nothing else could be meant.
#' @param modes Of "masked" (REF is masked and predicted from both sides), "unmasked" (the same with
#'   REF left in the window) and "causal" (log-likelihood of the window with ALT minus with REF).
#'   `NULL`: masked, or causal for causal models.
#' @param window Bases the model sees, the variant's first base in the middle. 0: the model's
#'   maximum up to 8192, else 512.
#' @param edge "shift" moves the window inward near an end of the contig, "pad" fills it with N.
#' @param strand "auto", "plus", "minus" or "mean", for models that are not reverse-complement
#'   equivariant. "auto": mean for causal models, else plus.
#' @param checkRef What is done with a REF that the genome does not have, which stays unscored:
#'   "warn" tells the first ones, "skip" counts them, "error" stops.
#' @param tagPrefix Of the names of the new columns.
#' @param overwrite Replace columns of the same names; else they are an error.
#' @param batch Windows a pass of the model; 0 chooses. Changes no bit.
#' @param progress `TRUE` for a bar on standard error, `FALSE` for none, or a function of what is
#'   done and the total.
#' @param ... Passed on to the methods.
#'
#' @return `variants` with the columns `SSM_MASKED`, `SSM_UNMASKED` or `SSM_CAUSAL`, one for each
#'   mode, and `SSM_REASON`: `mcols()` of ranges, `info()` of a VCF with the header's lines for
#'   them. Where ALT is a list the columns are lists, one value for each ALT. What has no score is
#'   `NA`, with the reason beside it: `unsupported_kind` (an insertion or a deletion), `symbolic`,
#'   `star`, `breakend`, `missing_alt`, `same_as_ref`, `non_acgt`, `ref_n`, `ref_mismatch`,
#'   `no_contig`, `off_contig`, `too_long` or `not_finite`. `metadata()$ssmgen` says what the scores
#'   were made with.
#'
#' @section Errors:
#' `ssmgen_invalid_argument` for arguments that do not fit together or the model, and for what no
#' VCF could hold; `ssmgen_format_error` for a FASTA that cannot be read and for the wrong
#' reference: no contig of the variants is in it, or over half of the first 1,000 REFs differ. An
#' interrupt is heard within about a second.
#'
#' @examples
#' extdata <- function(name) system.file("extdata", name, package = "ssmgen")
#' model <- loadModel(extdata("ecoli-caduceus-ps"))
#' genome <- Biostrings::readDNAStringSet(extdata("demo.fa"))
#' variants <- GenomicRanges::GRanges("synth_main", IRanges::IRanges(c(728, 100), width = 1),
#'     REF = c("C", "T"), ALT = c("T", "TACG"))
#' scoreVariants(model, variants, genome)
#'
#' vcf <- VariantAnnotation::readVcf(extdata("demo.vcf"))
#' scored <- scoreVariants(model, vcf[1:5], genome)
#' VariantAnnotation::info(scored)$SSM_MASKED
#' @export
setGeneric("scoreVariants", function(model, variants, genome, ...) {
    standardGeneric("scoreVariants")
})

#' Hidden states of sequences
#'
#' The numbers of the command `ssmgen embed`.
#'
#' @param model An [SSMModel-class].
#' @param sequences A `DNAStringSet`, a `DNAString` or text: A, C, G, T and IUPAC codes, any case.
#' @param layer "last": after the final norm; N: what enters block N; "all": each of them.
#' @param pool How the rows of a sequence's bases become one: "mean", "max", "center:K" (the mean
#'   over the K bases in the middle); "none": they do not.
#' @param strand "plus", "minus", their "mean", or "concat" for twice the channels; "auto": mean for
#'   reverse-complement equivariant models, else plus.
#' @param window,stride Sequences longer than `window` bases are read in windows, `stride` apart,
#'   each base's row taken from the window in which it lies farthest from a cut. 0: the model's
#'   maximum up to 8192, and half a window.
#' @param whole Read each sequence in its whole context, without windows.
#' @param skipN Leave bases other than A, C, G and T out of pooling.
#' @param batch,progress,... As in [scoreVariants()].
#'
#' @return A numeric matrix (sequences, channels) with the names of the sequences; with `pool =
#'   "none"` a list of matrices (bases, channels), one for each sequence; with `layer = "all"` a
#'   list of what one layer gives, with the layers' names. A pooled sequence without a base to pool
#'   is `NA`. The numbers have 32 bits.
#'
#' @section Errors:
#' `ssmgen_invalid_argument` for settings that do not fit together or the model and for sequences
#' that are empty or no DNA; `ssmgen_device_error` when memory is short. An interrupt is heard
#' between two passes of the model, within about a second; with `whole = TRUE` a pass is a sequence.
#'
#' @examples
#' model <- loadModel(system.file("extdata", "ecoli-caduceus-ps", package = "ssmgen"))
#' states <- embedSequences(model, c(first = "ATGAAACGC", second = "TTAGCACC"))
#' dim(states)
#' @export
setGeneric("embedSequences", function(model, sequences, ...) standardGeneric("embedSequences"))

#' Hidden states of regions of a genome
#'
#' Those of each region's sequence, as `ssmgen embed --bed`; of a region on the minus strand it is
#' the reverse complement.
#'
#' @param model An [SSMModel-class].
#' @param regions A `GRanges`.
#' @param genome As in [scoreVariants()]; names of contigs must match.
#' @param pool As in [embedSequences()], but not "none".
#' @param layer One layer, as in [embedSequences()].
#' @param ... Further arguments of [embedSequences()].
#'
#' @return A `SummarizedExperiment` with the regions as `rowRanges()`, a column for each channel and
#'   the assay "embedding". `metadata()$ssmgen` says what it was made with.
#'
#' @section Errors:
#' As [embedSequences()]; `ssmgen_invalid_argument` for a region that does not lie on the genome,
#' `ssmgen_format_error` for a FASTA that cannot be read.
#'
#' @examples
#' extdata <- function(name) system.file("extdata", name, package = "ssmgen")
#' model <- loadModel(extdata("ecoli-caduceus-ps"))
#' genome <- Biostrings::readDNAStringSet(extdata("demo.fa"))
#' regions <- GenomicRanges::GRanges(c("synth_main:245-847:+", "synth_main:900-1000:-"))
#' embedRegions(model, regions, genome)
#' @export
setGeneric("embedRegions", function(model, regions, genome, ...) standardGeneric("embedRegions"))

#' A value for every base
#'
#' The numbers of the command `ssmgen track`: windows lie on the contig, so a region has the numbers
#' of the whole.
#'
#' @param model An [SSMModel-class].
#' @param genome As in [scoreVariants()]; names of contigs must match.
#' @param regions A `GRanges`, or `NULL` for the whole genome.
#' @param score "entropy": of p over A, C, G and T, in nats; "logp": log p of the base that is
#'   there; "channel:N": a channel of a hidden state, from 0.
#' @param layer For "channel:N", as in [embedSequences()].
#' @param strand "plus", "minus", "mean" or "auto": mean for causal models, else plus; for channels
#'   as in [embedSequences()]. It is what the model reads: values always stand in the order of the
#'   contig, whatever the strand of a region.
#' @param window,stride,whole,batch,progress,... As in [embedSequences()].
#'
#' @return An `RleList`: with `regions` an element for each, with its name; without, one for each
#'   contig. Bases other than A, C, G and T are `NA`.
#'
#' @section Errors:
#' As [embedRegions()].
#'
#' @examples
#' extdata <- function(name) system.file("extdata", name, package = "ssmgen")
#' model <- loadModel(extdata("ecoli-caduceus-ps"))
#' genome <- Biostrings::readDNAStringSet(extdata("demo.fa"))
#' perBaseScore(model, genome, GenomicRanges::GRanges("synth_main:245-260"), score = "logp")
#' @export
setGeneric("perBaseScore", function(model, genome, regions = NULL, ...) {
    standardGeneric("perBaseScore")
}, signature = c("model", "genome"))
