# Scores of variants in the objects that hold them.

# One text for each ALT, how many each variant has, and how to give values back: as a list where ALT
# is one.
alleleTexts <- function(alt) {
    if (is(alt, "List") && !is(alt, "DNAStringSet") && !is(alt, "Rle") || is.list(alt)) {
        counts <- lengths(alt)
        text <- textOf(unlist(alt, use.names = FALSE), "ALT")
        ends <- PartitioningByEnd(cumsum(unname(counts)), names = names(alt))
        return(list(
            text = text, counts = counts, isList = TRUE,
            back = function(values) relist(values, ends)
        ))
    }
    text <- textOf(alt, "ALT")
    list(text = text, counts = rep(1L, length(text)), isList = FALSE, back = identity)
}

refText <- function(ref) {
    if (is(ref, "List") && !is(ref, "DNAStringSet") && !is(ref, "Rle") || is.list(ref)) {
        if (!all(lengths(ref) == 1L)) {
            i <- which(lengths(ref) != 1L)[1L]
            stopInvalid("variant ", i, ": expected one REF, not ", lengths(ref)[[i]])
        }
        ref <- unlist(ref, use.names = FALSE)
    }
    textOf(ref, "REF")
}

# Numbers as text would be letters that no genome has.
textOf <- function(alleles, name) {
    values <- if (is(alleles, "Rle")) S4Vectors::runValue(alleles) else alleles
    if (is.numeric(values)) {
        stopInvalid(name, ": expected text or a DNAStringSet, not ", class(values)[1L])
    }
    as.character(alleles)
}

# Of a variant in words, for messages.
checkPlaces <- function(contig, begin, ref, strands) {
    if (any(begin < 0)) {
        i <- which(begin < 0)[1L]
        stopInvalid("variant ", i, " (", contig[i], ":", begin[i], "): position ", begin[i],
            " is negative: positions count from 1, as in a VCF")
    }
    if (anyNA(ref) || !all(nzchar(ref))) {
        i <- which(is.na(ref) | !nzchar(ref))[1L]
        stopInvalid("variant ", i, " (", contig[i], ":", begin[i], "): it has no REF: give the ",
            "bases that the genome has there")
    }
    if (any(strands == "-")) {
        i <- which(strands == "-")[1L]
        stopInvalid(
            "variant ", i, " (", contig[i], ":", begin[i], ") lies on the minus strand: give REF ",
            "and ALT as on the plus strand, as in a VCF, and the strand + or *"
        )
    }
}

scoreColumns <- function(model, ranges, ref, alt, genome, modes = NULL, window = 0,
                         edge = "shift", strand = "auto", checkRef = "warn", tagPrefix = "SSM",
                         overwrite = FALSE, batch = 0, progress = interactive(), taken) {
    checkModel(model)
    if (!is.null(modes) && (!is.character(modes) || anyNA(modes))) {
        stopInvalid("modes: expected masked, unmasked or causal, not ", shown(modes))
    }
    if (!grepl("^[A-Za-z_][A-Za-z0-9_.]*$", oneString(tagPrefix, "tagPrefix"))) {
        stopInvalid("tagPrefix: '", tagPrefix, "' cannot begin the name of a VCF's field: give ",
            "letters, digits, _ and ., a letter or _ first")
    }
    contig <- as.character(seqnames(ranges))
    begin <- as.numeric(start(ranges))
    ref <- refText(ref)
    checkPlaces(contig, begin, ref, as.character(BiocGenerics::strand(ranges)))
    alleles <- alleleTexts(alt)
    text <- ifelse(is.na(alleles$text), "", alleles$text)
    scored <- checked(score_variants(
        model@pointer,
        list(
            contig = contig, position = begin - 1, ref = ref, counts = alleles$counts, alt = text
        ),
        genomeSource(genome),
        list(
            modes = as.character(modes), window = oneCount(window, "window"),
            edge = oneString(edge, "edge"), strand = oneString(strand, "strand"),
            checkRef = oneString(checkRef, "checkRef"), batch = oneCount(batch, "batch")
        ),
        progressBar(progress)
    ))
    columns <- lapply(scored$scores, alleles$back)
    names(columns) <- paste0(tagPrefix, "_", toupper(names(columns)))
    columns[[paste0(tagPrefix, "_REASON")]] <- alleles$back(scored$reasons)
    clash <- intersect(names(columns), taken)
    if (length(clash) && !oneFlag(overwrite, "overwrite")) {
        stopInvalid(
            "variants: there is a column ", clash[1L], " already: give overwrite = TRUE to ",
            "replace it or tagPrefix to use other names"
        )
    }
    list(columns = columns, metadata = provenance(
        model, modes = names(scored$scores), window = scored$window, edge = edge, strand = strand
    ))
}

withColumns <- function(variants, scored) {
    for (name in names(scored$columns)) {
        mcols(variants)[[name]] <- scored$columns[[name]]
    }
    metadata(variants)$ssmgen <- scored$metadata
    variants
}

#' @rdname scoreVariants
#' @export
setMethod("scoreVariants", c("SSMModel", "GRanges"), function(
        model, variants, genome, modes = NULL, window = 0, edge = "shift", strand = "auto",
        checkRef = "warn", tagPrefix = "SSM", overwrite = FALSE, batch = 0,
        progress = interactive()) {
    columns <- mcols(variants)
    missing <- setdiff(c("REF", "ALT"), names(columns))
    if (length(missing)) {
        there <- if (ncol(columns)) paste(names(columns), collapse = ", ") else "none at all"
        stopInvalid("variants: the GRanges has no column ", missing[1L], " (it has ", there,
            "): give the alleles as its columns REF and ALT")
    }
    withColumns(variants, scoreColumns(
        model, variants, columns$REF, columns$ALT, genome, modes, window, edge, strand, checkRef,
        tagPrefix, overwrite, batch, progress, names(columns)
    ))
})

#' @rdname scoreVariants
#' @export
setMethod("scoreVariants", c("SSMModel", "VRanges"), function(
        model, variants, genome, modes = NULL, window = 0, edge = "shift", strand = "auto",
        checkRef = "warn", tagPrefix = "SSM", overwrite = FALSE, batch = 0,
        progress = interactive()) {
    withColumns(variants, scoreColumns(
        model, variants, ref(variants), alt(variants), genome, modes, window, edge, strand,
        checkRef, tagPrefix, overwrite, batch, progress, names(mcols(variants))
    ))
})

#' @rdname scoreVariants
#' @export
setMethod("scoreVariants", c("SSMModel", "VCF"), function(
        model, variants, genome, modes = NULL, window = 0, edge = "shift", strand = "auto",
        checkRef = "warn", tagPrefix = "SSM", overwrite = FALSE, batch = 0,
        progress = interactive()) {
    fields <- info(header(variants))
    scored <- scoreColumns(
        model, rowRanges(variants), ref(variants), alt(variants), genome, modes, window, edge,
        strand, checkRef, tagPrefix, overwrite, batch, progress,
        union(rownames(fields), names(info(variants)))
    )
    for (name in names(scored$columns)) {
        isReason <- name == paste0(tagPrefix, "_REASON")
        fields[name, ] <- DataFrame(
            Number = "A", Type = if (isReason) "String" else "Float",
            Description = if (isReason) "Why the ALT has no score" else {
                modeDescription(tolower(sub(paste0(tagPrefix, "_"), "", name, fixed = TRUE)))
            }
        )
    }
    # First, since a column without its line in the header is warned of.
    info(header(variants)) <- fields
    for (name in names(scored$columns)) {
        info(variants)[[name]] <- scored$columns[[name]]
    }
    metadata(variants)$ssmgen <- scored$metadata
    variants
})

#' @rdname scoreVariants
#' @export
setMethod("scoreVariants", c("ANY", "ANY"), function(model, variants, genome, ...) {
    checkModel(model)
    stopInvalid(
        "variants: expected a VCF, a VRanges or a GRanges with REF and ALT, not ",
        class(variants)[1L]
    )
})

modeDescription <- function(mode) {
    switch(mode,
        masked = "log p(ALT) - log p(REF) with REF masked, natural log over A,C,G,T",
        unmasked = "log p(ALT) - log p(REF) with REF in place, natural log over A,C,G,T",
        "log-likelihood of the window with ALT minus with REF, each base given those before it"
    )
}
