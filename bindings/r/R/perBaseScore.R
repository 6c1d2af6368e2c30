# A value for every base.

#' @rdname perBaseScore
#' @export
setMethod("perBaseScore", "SSMModel", function(
        model, genome, regions = NULL, score = "entropy", layer = "last", strand = "auto",
        window = 0, stride = 0, whole = FALSE, batch = 0, progress = interactive()) {
    checkModel(model)
    source <- genomeSource(genome)
    if (is.null(regions)) {
        lengths <- checked(genome_contigs(source))
        columns <- list(
            contig = names(lengths), begin = numeric(length(lengths)), end = unname(lengths),
            minus = logical(length(lengths))
        )
    } else {
        columns <- regionColumns(regions)
    }
    settings <- embedSettings(layer, "none", strand, window, stride, whole, FALSE, batch)
    values <- checked(score_bases(
        model@pointer, source, columns, oneString(score, "score"), settings, progressBar(progress)
    ))
    ends <- cumsum(columns$end - columns$begin)
    if (is.null(regions)) {
        parts <- relist(values, PartitioningByEnd(ends, names = columns$contig))
        return(RleList(lapply(parts, Rle), compress = FALSE))
    }
    relist(Rle(values), PartitioningByEnd(ends, names = names(regions)))
})

#' @rdname perBaseScore
#' @export
setMethod("perBaseScore", "ANY", function(model, genome, regions = NULL, ...) {
    checkModel(model)
})
