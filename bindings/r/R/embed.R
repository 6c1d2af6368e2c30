# Hidden states of sequences and regions.

embedSettings <- function(layer = "last", pool = "mean", strand = "auto", window = 0, stride = 0,
                          whole = FALSE, skipN = FALSE, batch = 0) {
    if (length(layer) != 1L || is.na(layer)) {
        stopInvalid("layer: expected one layer, not ", shown(layer))
    }
    list(
        layer = as.character(layer), pool = oneString(pool, "pool"),
        strand = oneString(strand, "strand"), window = oneCount(window, "window"),
        stride = oneCount(stride, "stride"), whole = oneFlag(whole, "whole"),
        skipN = oneFlag(skipN, "skipN"), batch = oneCount(batch, "batch")
    )
}

# Letters of DNA alone: a protein that was given by mistake would come out as numbers too.
checkSequences <- function(text) {
    if (anyNA(text) || !all(nzchar(text))) {
        i <- which(is.na(text) | !nzchar(text))[1L]
        stopInvalid("sequence ", i, ": it is ", if (is.na(text[i])) "NA" else "empty")
    }
    at <- regexpr("[^ACGTRYSWKMBDHVNacgtryswkmbdhvn]", text)
    if (any(at > 0L)) {
        i <- which(at > 0L)[1L]
        stopInvalid(
            "sequence ", i, ": '", substr(text[i], at[i], at[i]), "' at ", at[i],
            " is no letter of DNA"
        )
    }
}

embedTexts <- function(model, text, names, ..., progress = interactive()) {
    checkModel(model)
    checkSequences(text)
    settings <- embedSettings(...)
    layers <- checked(embed_sequences(model@pointer, text, settings, progressBar(progress)))
    layers <- lapply(layers, function(layer) {
        if (is.list(layer)) {
            names(layer) <- names
        } else if (!is.null(names)) {
            rownames(layer) <- names
        }
        layer
    })
    if (settings$layer != "all") {
        return(layers[[1L]])
    }
    setNames(layers, c(seq_along(layers)[-1L] - 2L, "last"))
}

#' @rdname embedSequences
#' @export
setMethod("embedSequences", c("SSMModel", "character"), function(
        model, sequences, layer = "last", pool = "mean", strand = "auto", window = 0, stride = 0,
        whole = FALSE, skipN = FALSE, batch = 0, progress = interactive()) {
    embedTexts(
        model, unname(sequences), names(sequences), layer, pool, strand, window, stride, whole,
        skipN, batch, progress = progress
    )
})

#' @rdname embedSequences
#' @export
setMethod("embedSequences", c("SSMModel", "DNAStringSet"), function(model, sequences, ...) {
    embedSequences(model, as.character(sequences), ...)
})

#' @rdname embedSequences
#' @export
setMethod("embedSequences", c("SSMModel", "DNAString"), function(model, sequences, ...) {
    embedSequences(model, as.character(sequences), ...)
})

#' @rdname embedSequences
#' @export
setMethod("embedSequences", c("ANY", "ANY"), function(model, sequences, ...) {
    checkModel(model)
    stopInvalid(
        "sequences: expected a DNAStringSet, a DNAString or text, not ", class(sequences)[1L]
    )
})

#' @rdname embedRegions
#' @export
setMethod("embedRegions", c("SSMModel"), function(
        model, regions, genome, layer = "last", pool = "mean", ...) {
    checkModel(model)
    if (identical(pool, "none") || identical(layer, "all")) {
        stopInvalid(
            "embedRegions gives one row a region: pool is mean, max or center:K, and layer is one"
        )
    }
    given <- list(...)
    columns <- regionColumns(regions)
    text <- checked(region_sequences(genomeSource(genome), columns))
    states <- embedTexts(model, text, names(regions), layer, pool, ...)
    colnames(states) <- paste0("c", seq_len(ncol(states)) - 1L)
    SummarizedExperiment(
        assays = list(embedding = states), rowRanges = regions,
        colData = DataFrame(channel = seq_len(ncol(states)) - 1L, row.names = colnames(states)),
        metadata = list(ssmgen = do.call(provenance, c(
            list(model, layer = layer, pool = pool), given[names(given) != "progress"]
        )))
    )
})

#' @rdname embedRegions
#' @export
setMethod("embedRegions", "ANY", function(model, regions, genome, ...) {
    checkModel(model)
})
