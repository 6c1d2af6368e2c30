# Hidden states of sequences and regions.

embedSettings <- function(layer = "last", pool = "mean", strand = "auto", window = 0, stride = 0,
                          whole = FALSE, skipN = FALSE, batch = 0) {
    if (!(is.character(layer) || is.numeric(layer)) || length(layer) != 1L || is.na(layer)) {
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
        what <- if (is.na(text[i])) "NA" else "empty"
        stopInvalid("sequence ", i, ": it is ", what, ": leave it out")
    }
    # By bytes, since text may be no text in this locale.
    at <- regexpr("[^ACGTRYSWKMBDHVNacgtryswkmbdhvn]", text, useBytes = TRUE)
    if (any(at > 0L)) {
        i <- which(at > 0L)[1L]
        if (nchar(text[i], "bytes") < 1000L && file.exists(text[i])) {
            stopInvalid("sequence ", i, ": '", text[i], "' is the name of a file: give what ",
                "Biostrings::readDNAStringSet() reads from it")
        }
        stopInvalid(
            "sequence ", i, ": '", letterAt(text[i], at[i]), "' at ", at[i], " is no letter of ",
            "DNA: give A, C, G, T and IUPAC codes alone, N for what is not known"
        )
    }
}

# The letter at a byte in words that can be printed; all before it are letters of one byte.
letterAt <- function(text, at) {
    rest <- charToRaw(text)[at - 1L + seq_len(min(4L, nchar(text, "bytes") - at + 1L))]
    for (bytes in seq_along(rest)) {
        letter <- rawToChar(rest[seq_len(bytes)])
        Encoding(letter) <- "UTF-8"
        if (validUTF8(letter)) {
            return(encodeString(letter))
        }
    }
    paste0("\\x", rest[1L])
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
    if (any(columns$end <= columns$begin)) {
        i <- which(columns$end <= columns$begin)[1L]
        stopInvalid("region ", i, " (", as.character(regions[i]), "): it is empty: leave it out")
    }
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
