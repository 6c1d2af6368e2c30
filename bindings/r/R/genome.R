# A genome as the library takes it: list(path), or list(name, contigs, lengths, fetch).

genomeSource <- function(genome) {
    if (is(genome, "FaFile")) {
        genome <- path(genome)
    }
    if (is.character(genome)) {
        return(list(path = path.expand(oneString(genome, "genome"))))
    }
    if (is(genome, "DNAStringSet")) {
        return(sequenceSource(genome))
    }
    if (is(genome, "BSgenome")) {
        return(bsgenomeSource(genome))
    }
    stopInvalid(
        "genome: expected the path of a FASTA, an FaFile, a DNAStringSet or a BSgenome, not ",
        class(genome)[1L]
    )
}

sequenceSource <- function(genome) {
    # As in a FASTA's header line: the name ends at the first blank.
    contigs <- sub("[[:space:]].*", "", names(genome))
    if (length(genome) == 0L) {
        stopInvalid("genome: the DNAStringSet is empty: give the sequences of the contigs")
    }
    if (length(contigs) != length(genome) || anyNA(contigs) || !all(nzchar(contigs))) {
        stopInvalid("genome: expected a DNAStringSet with the names of the contigs: set names()")
    }
    if (anyDuplicated(contigs)) {
        stopInvalid("genome: two sequences of the DNAStringSet are named '",
            contigs[duplicated(contigs)][1L], "': give each contig once")
    }
    list(
        name = "the DNAStringSet", contigs = contigs,
        lengths = as.numeric(BiocGenerics::width(genome)),
        fetch = function(contig, from, to) {
            as.character(subseq(genome[[contig]], from, to))
        }
    )
}

bsgenomeSource <- function(genome) {
    contigs <- as.character(seqnames(genome))
    list(
        name = "the BSgenome", contigs = contigs,
        lengths = as.numeric(seqlengths(genome)[contigs]),
        fetch = function(contig, from, to) {
            range <- GRanges(contigs[contig], IRanges::IRanges(from, to))
            toupper(as.character(Biostrings::getSeq(genome, range)))
        }
    )
}

regionColumns <- function(regions) {
    if (!is(regions, "GRanges")) {
        stopInvalid("regions: expected a GRanges, not ", class(regions)[1L])
    }
    list(
        contig = as.character(seqnames(regions)), begin = as.numeric(start(regions)) - 1,
        end = as.numeric(end(regions)), minus = as.character(strand(regions)) == "-"
    )
}
