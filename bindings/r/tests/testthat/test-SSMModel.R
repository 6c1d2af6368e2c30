test_that("the package, the library and the project are of one version", {
    description <- utils::packageDescription("ssmgen")
    expect_identical(ssmgen:::library_version(), description$Version)
    cmake <- readLines(sourceFile("CMakeLists.txt"))
    expect_true(paste0("  VERSION ", description$Version) %in% cmake)
})

test_that("a model says what it is", {
    expect_s4_class(model(), "SSMModel")
    info <- modelInfo(model())
    expect_identical(info$name, "ecoli-caduceus-ps")
    expect_identical(c(info$channels, info$blocks, info$parameters), c(128, 6, 810880))
    expect_true(info$isReverseComplementEquivariant && info$hasMaskToken && !info$isCausal)
    weights <- file.path(extdata("ecoli-caduceus-ps"), "model.safetensors")
    hash <- system2("sha256sum", shQuote(weights), stdout = TRUE)
    expect_identical(weightsSHA256(model()), sub(" .*", "", hash))
    printed <- utils::capture.output(print(model()))
    expect_match(printed[1], "^SSMModel ecoli-caduceus-ps$")
    expect_match(printed[2], "caduceus, 6 blocks of 128 channels, 810,880 parameters; sees both")
    expect_match(printed[3], "f32 on cpu")
})

test_that("threads and dtype are the caller's", {
    one <- loadModel(extdata("ecoli-caduceus-ps"), dtype = "bf16", threads = 1)
    expect_identical(modelInfo(one)$threads, 1L)
    expect_match(utils::capture.output(print(one))[3], "bf16 on cpu")
    expect_true(validObject(one))
})

test_that("a model that was saved has to be loaded again", {
    file <- tempfile(fileext = ".rds")
    saveRDS(model(), file)
    again <- readRDS(file)
    expect_error(
        embedSequences(again, "ACGT"),
        "this model was saved in another session: load it again with loadModel(path)",
        fixed = TRUE, class = "ssmgen_invalid_argument"
    )
    expect_match(utils::capture.output(print(again))[3], "saved in another session: load it again")
    expect_identical(embedSequences(loadModel(again@path), "ACGT"), embedSequences(model(), "ACGT"))
})

test_that("memory is the caller's, and changes no bit", {
    path <- sourceFile("test_data", "golden", "caduceus_ps")
    long <- strrep("ACGTTGCA", 4096)
    expected <- embedSequences(loadModel(path), long, whole = TRUE)
    scratch <- tempfile("scratch-")
    dir.create(scratch)
    chunked <- loadModel(path, chunk = 4096, maxMemory = "1.5T", scratch = scratch)
    expect_identical(embedSequences(chunked, long, whole = TRUE), expected)
    expect_identical(list.files(scratch, all.files = TRUE, no.. = TRUE), character())
    # Less than R itself takes: what is asked for is told in R's words.
    small <- loadModel(path, maxMemory = "1M")
    expect_error(
        embedSequences(small, long, whole = TRUE), "give scratch DIR, raise maxMemory or",
        class = "ssmgen_device_error"
    )
})

test_that("what is no model is not valid", {
    broken <- model()
    broken@dtype <- "f64"
    expect_error(validObject(broken), "f32 or bf16")
    expect_error(
        embedSequences(broken, "ACGT"), "f32 or bf16: make one with loadModel",
        class = "ssmgen_invalid_argument"
    )
    expect_match(utils::capture.output(print(broken)), "that is none")
    broken@device <- c("cpu", "cpu")
    expect_error(validObject(broken), "'device' must be one string")
    expect_error(new("SSMModel"), NA)
    expect_error(validObject(new("SSMModel")), "'path' must be one string")
    expect_error(modelInfo("model"), "expected an SSMModel", class = "ssmgen_invalid_argument")
})

test_that("a model that cannot be loaded says why, by its class", {
    path <- extdata("ecoli-caduceus-ps")
    expect_error(loadModel("/no/such/model"), "/no/such/model", class = "ssmgen_format_error")
    expect_error(loadModel(NA_character_), "path", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, dtype = "f64"), "f64", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, dtype = NaN), "NaN", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, device = "tpu"), "tpu", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, threads = NaN), "NaN", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, threads = -1), "-1", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, threads = 1.5), "1.5", class = "ssmgen_invalid_argument")
    expect_error(loadModel(path, threads = 1e6), "to 4096", class = "ssmgen_invalid_argument")
    expect_error(
        loadModel(path, maxMemory = "much"), "500M, 24G or 1.5T", class = "ssmgen_invalid_argument"
    )
    expect_error(
        loadModel(path, deviceMemory = "1G"), "of a CPU it is maxMemory",
        class = "ssmgen_invalid_argument"
    )
    expect_error(
        loadModel(path, scratch = NA), "scratch: expected one string",
        class = "ssmgen_invalid_argument"
    )
    expect_error(loadModel(path, device = "cuda:99"), "cuda:99", class = "ssmgen_device_error")
    expect_error(loadModel(path, device = "cuda:99"), class = "ssmgen_error")
})

test_that("tensors that nothing reads are warned of", {
    folder <- sourceFile("test_data", "golden", "hf_mamba")
    expect_error(loadModel(folder), NA)
    copy <- tempfile("model-")
    dir.create(copy)
    file.copy(list.files(folder, full.names = TRUE), copy)
    weights <- file.path(copy, "model.safetensors")
    raw <- readBin(weights, "raw", file.size(weights))
    headerBytes <- readBin(raw[1:8], "integer", 1L, size = 4L, endian = "little")
    header <- rawToChar(raw[8L + seq_len(headerBytes)])
    # One name more for bytes that are there: a tensor that no model has.
    first <- regmatches(header, regexpr('\\{"dtype":"F32"[^}]*\\}', header))
    longer <- charToRaw(sub("\\s*$", "", sub("\\}\\s*$", paste0(',"stray":', first, "}"), header)))
    size <- writeBin(length(longer), raw(), size = 4L, endian = "little")
    writeBin(c(size, raw(4), longer, raw[-seq_len(8L + headerBytes)]), weights)
    found <- tryCatch(loadModel(copy), ssmgen_warning = identity, ssmgen_error = identity)
    expect_match(conditionMessage(found), "stray")
})
