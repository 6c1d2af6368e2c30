#' A genomic state space model
#'
#' `loadModel()` reads a model directory (config.json and model.safetensors) and puts it on a
#' device.
#'
#' A model lives in the R session that loaded it: one that comes back from `readRDS()`, or that was
#' sent to a worker, has to be loaded again. See [ssmgen-package] for parallel workers.
#'
#' @param path The model's directory.
#' @param device "cpu", "cuda" (card 0) or "cuda:N".
#' @param dtype Storage of activations and matrix weights, "f32" or "bf16"; sums and results are
#'   f32.
#' @param threads Host threads that compute; 0 for one a core.
#' @param chunk Sequences longer than this many bases are swept in chunks of it; 0 chooses.
#' @param maxMemory Host memory that the process may take, in bytes or as "500M", "24G" or "1.5T"
#'   (powers of 1000); 0 for what is free. A long sequence is run in the fastest way that fits.
#' @param deviceMemory The same for a CUDA device's own memory.
#' @param scratch Folder for activations that fit neither; "" for none. Nothing is left in it.
#'   Results depend on none of the last four.
#' @param object,model An `SSMModel`.
#'
#' @return `loadModel()` an `SSMModel`; `modelInfo()` a list of what the checkpoint holds (name,
#'   type, sizes, what the model can do) and of where it computes; `weightsSHA256()` the SHA-256 of
#'   the weight files.
#'
#' @section Errors:
#' `ssmgen_format_error` names the file and the tensor, `ssmgen_invalid_argument` the option,
#' `ssmgen_device_error` a device that is not there or has not enough memory.
#'
#' @slot pointer The model in memory.
#' @slot path,device,dtype As given.
#' @slot info What `modelInfo()` gives.
#'
#' @examples
#' model <- loadModel(system.file("extdata", "ecoli-caduceus-ps", package = "ssmgen"))
#' model
#' modelInfo(model)$channels
#' @name SSMModel-class
#' @aliases loadModel modelInfo weightsSHA256
#' @exportClass SSMModel
setClass("SSMModel", slots = c(
    pointer = "externalptr", path = "character", device = "character", dtype = "character",
    info = "list"
))

setValidity("SSMModel", function(object) {
    problems <- character()
    for (name in c("path", "device", "dtype")) {
        value <- slot(object, name)
        if (length(value) != 1L || is.na(value) || !nzchar(value)) {
            problems <- c(problems, paste0("'", name, "' must be one string"))
        }
    }
    if (!all(object@dtype %in% c("f32", "bf16"))) {
        problems <- c(problems, "'dtype' must be f32 or bf16")
    }
    if (!all(grepl("^(cpu|cuda(:[0-9]+)?)$", object@device))) {
        problems <- c(problems, "'device' must be cpu, cuda or cuda:N")
    }
    if (!all(c("name", "channels", "blocks") %in% names(object@info))) {
        problems <- c(problems, "'info' must be that of loadModel()")
    }
    if (length(problems)) problems else TRUE
})

#' @rdname SSMModel-class
#' @export
loadModel <- function(path, device = "cpu", dtype = "f32", threads = 0, chunk = 0, maxMemory = 0,
                      deviceMemory = 0, scratch = "") {
    path <- path.expand(oneString(path, "path"))
    device <- oneString(device, "device")
    dtype <- oneString(dtype, "dtype")
    options <- list(
        device = device, dtype = dtype, threads = oneCount(threads, "threads", 4096),
        chunk = oneCount(chunk, "chunk"), maxMemory = oneSize(maxMemory, "maxMemory"),
        deviceMemory = oneSize(deviceMemory, "deviceMemory"),
        scratch = path.expand(oneString(scratch, "scratch"))
    )
    if (options$deviceMemory > 0 && device == "cpu") {
        stopInvalid("deviceMemory: it is for the device cuda; of a CPU it is maxMemory")
    }
    loaded <- checked(load_model(path, options))
    new("SSMModel",
        pointer = loaded$pointer, path = path, device = device, dtype = dtype, info = loaded$info
    )
}

#' @rdname SSMModel-class
#' @export
modelInfo <- function(model) {
    checkModel(model)
    model@info
}

#' @rdname SSMModel-class
#' @export
weightsSHA256 <- function(model) {
    checkModel(model)
    checked(weights_sha256(model@pointer))
}

#' @rdname SSMModel-class
#' @export
setMethod("show", "SSMModel", function(object) {
    if (!isTRUE(validObject(object, test = TRUE))) {
        cat("SSMModel that is none: make one with loadModel(path)\n")
        return(invisible())
    }
    info <- object@info
    number <- function(value) format(value, big.mark = ",", scientific = FALSE)
    strands <- if (info$isCausal) {
        "causal, reads one way"
    } else if (info$isReverseComplementEquivariant) {
        "sees both sides and both strands"
    } else {
        "sees both sides"
    }
    cat(
        "SSMModel ", info$name, "\n",
        "  ", info$modelType, ", ", number(info$blocks), " blocks of ", number(info$channels),
        " channels, ", number(info$parameters), " parameters; ", strands, "\n",
        "  ", if (isLoaded(object)) {
            paste0(object@dtype, " on ", info$deviceDescription)
        } else {
            "saved in another session: load it again with loadModel(path)"
        }, "\n",
        "  from ", object@path, "\n",
        sep = ""
    )
})

# Not after readRDS(), which gives a pointer to nothing.
isLoaded <- function(model) !identical(model@pointer, new("externalptr"))

checkModel <- function(model) {
    if (!is(model, "SSMModel")) {
        stopInvalid("model: expected an SSMModel of loadModel(), not ", class(model)[1L])
    }
    valid <- validObject(model, test = TRUE)
    if (!isTRUE(valid)) {
        stopInvalid("model: ", paste(valid, collapse = "; "), ": make one with loadModel(path)")
    }
    invisible(model)
}

# Where numbers come from, for metadata().
provenance <- function(model, ...) {
    c(
        list(
            version = library_version(), model = model@info$name,
            sha256 = weightsSHA256(model), dtype = model@dtype, device = model@device
        ),
        list(...)
    )
}
