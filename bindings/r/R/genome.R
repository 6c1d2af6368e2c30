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
    if (length(genome) == 0L || length(contigs) != length(genome)) {
        stopInvalid("genome: expected a DNAStringSet with the names of the contigs")
    }
    if (anyNA(contigs) || !all(nzchar(contigs)) || anyDuplicated(contigs)) {
        odd <- c(contigs[duplicated(contigs)], "")[1L]
        stopInvalid("genome: the names of a DNAStringSet must be there and differ: '", odd, "'")
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
