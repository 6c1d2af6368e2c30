#' Genomic state space models over sequences of any length
#'
#' [loadModel()] reads a model; [scoreVariants()] scores variants, [embedSequences()] and
#' [embedRegions()] give hidden states, [perBaseScore()] a value for every base. The numbers are
#' those of the `ssmgen` command, bit for bit.
#'
#' @section Conditions:
#' Errors are of the class `ssmgen_error`, and of one of
#' * `ssmgen_invalid_argument`: an argument that cannot be, or does not fit the model;
#' * `ssmgen_format_error`: a file, or a reference genome, that is not what it should be;
#' * `ssmgen_device_error`: a device or the machine refused, or the process is a forked child.
#'
#' Warnings are of the class `ssmgen_warning`, messages of the class `ssmgen_note`.
#'
#' @section Parallel workers:
#' A model lives in the process that loaded it. With BiocParallel's `SnowParam` each worker is a
#' fresh process: load the model in the function that the workers run, with `threads = 1`. Workers
#' that are forked (`MulticoreParam`, `parallel::mclapply()`) cannot use their parent's model, and
#' can load one of their own on the CPU alone: CUDA does not outlive a fork, so with
#' `device = "cuda"` use `SnowParam`.
#'
#' @keywords internal
#' @useDynLib ssmgen, .registration = TRUE
#' @importFrom Rcpp evalCpp
#' @importClassesFrom GenomicRanges GRanges
#' @importClassesFrom VariantAnnotation VCF VRanges
#' @importClassesFrom Biostrings DNAStringSet DNAString
#' @importFrom methods setClass setGeneric setMethod setValidity is new validObject show
#' @importFrom methods slot
#' @importFrom stats setNames
#' @importFrom utils txtProgressBar setTxtProgressBar
#' @importFrom BiocGenerics start end strand relist path
#' @importFrom S4Vectors mcols mcols<- metadata metadata<- DataFrame Rle
#' @importFrom IRanges PartitioningByEnd RleList
#' @importFrom GenomeInfoDb seqnames seqlengths
#' @importFrom GenomicRanges GRanges
#' @importFrom Biostrings subseq
#' @importFrom SummarizedExperiment SummarizedExperiment rowRanges
#' @importFrom VariantAnnotation ref alt info info<- header header<-
"_PACKAGE"
