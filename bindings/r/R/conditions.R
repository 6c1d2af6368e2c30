# What the library says, as R's conditions.

ssmCondition <- function(kinds, message, call = NULL) {
    structure(class = c(kinds, "condition"), list(message = message, call = call))
}

stopInvalid <- function(...) {
    refusal <- ssmCondition(c("ssmgen_invalid_argument", "ssmgen_error", "error"), paste0(...))
    stop(refusal)
}

# The value of a call into the library; its warnings and notes are given on, its error is thrown.
checked <- function(answer) {
    for (text in unique(answer$notes)) {
        note <- ssmCondition(c("ssmgen_note", "message"), paste0(text, "\n"))
        message(note)
    }
    for (text in unique(answer$warnings)) {
        told <- ssmCondition(c("ssmgen_warning", "warning"), inArguments(text))
        warning(told)
    }
    if (!is.null(answer$error)) {
        kinds <- c(answer$error, "ssmgen_error", "error")
        refusal <- ssmCondition(kinds, inArguments(answer$message))
        stop(refusal)
    }
    answer$value
}

# The library tells remedies as the command's options: --check-ref is checkRef here.
inArguments <- function(text) {
    text <- sub("^check-ref ", "checkRef ", text)
    text <- gsub("(^|[ (])--(score) (masked|unmasked|causal)\\b", "\\1modes \\3", text)
    at <- gregexpr("(?<![^ (])--[a-z][a-z-]*[a-z]", text, perl = TRUE)
    regmatches(text, at) <- lapply(regmatches(text, at), function(options) {
        gsub("-([a-z])", "\\U\\1", sub("^--", "", options), perl = TRUE)
    })
    text
}

oneString <- function(value, name) {
    if (!is.character(value) || length(value) != 1L || is.na(value)) {
        stopInvalid(name, ": expected one string, not ", shown(value))
    }
    value
}

oneFlag <- function(value, name) {
    if (!is.logical(value) || length(value) != 1L || is.na(value)) {
        stopInvalid(name, ": expected TRUE or FALSE, not ", shown(value))
    }
    value
}

# A count from 0: what R users write as 512 or 512L.
oneCount <- function(value, name, most = 2^32) {
    isCount <- is.numeric(value) && length(value) == 1L && !is.na(value) &&
        value >= 0 && value <= most && value == floor(value)
    if (!isCount) {
        number <- format(most, scientific = FALSE)
        stopInvalid(name, ": expected a whole number from 0 to ", number, ", not ", shown(value))
    }
    as.numeric(value)
}

# Bytes, as a number or as "500M", "24G" or "1.5T"; 0 for what is free.
oneSize <- function(value, name) {
    units <- c(K = 1e3, M = 1e6, G = 1e9, T = 1e12)
    pattern <- "^([0-9]+([.][0-9]+)?)([KMGT])$"
    if (is.character(value) && length(value) == 1L && grepl(pattern, value)) {
        amount <- as.numeric(sub(pattern, "\\1", value))
        value <- round(amount * units[[sub(pattern, "\\3", value)]])
    }
    if (is.character(value)) {
        stopInvalid(name, ": expected bytes, as 5e8, 500M, 24G or 1.5T, not ", shown(value))
    }
    oneCount(value, name, 2^53)
}

shown <- function(value) {
    text <- paste(deparse(value, nlines = 1L), collapse = "")
    if (nchar(text) > 60L) paste0(substr(text, 1L, 57L), "...") else text
}

# A function(done, total) for the library, or NULL. To standard error, which data do not go to.
progressBar <- function(progress) {
    if (is.function(progress)) {
        return(progress)
    }
    if (!is.logical(progress)) {
        stopInvalid("progress: expected TRUE, FALSE or a function(done, total), not ",
            shown(progress))
    }
    if (!oneFlag(progress, "progress")) {
        return(NULL)
    }
    state <- new.env(parent = emptyenv())
    function(done, total) {
        if (total <= 0) {
            return(invisible())
        }
        if (is.null(state$bar)) {
            state$bar <- txtProgressBar(max = total, style = 3L, file = stderr())
        }
        setTxtProgressBar(state$bar, done)
        if (done >= total) close(state$bar)
    }
}
