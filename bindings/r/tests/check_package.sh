#!/bin/sh
# check_package.sh PREFIX FOLDER: R CMD build, R CMD check --as-cran and BiocCheck of the package in
# FOLDER, against the library in PREFIX.
#
# What they note, and why it stays:
#   installed size: the bundled model is 3.2 MB, without which no example could run, the vignette is
#     one HTML of 2 MB with its style inside, and Debian's R compiles with debugging symbols;
#   ORCID: the authors have none in common;
#   long lines and indents: the project's limit is 100 columns, and roxygen's lists are indented by 2.
set -eu
package=$(cd "$(dirname "$0")/.." && pwd)
SSMGEN_HOME=$(cd "$1" && pwd)
SSMGEN_SOURCE_DIR=$(cd "$package/../.." && pwd)
SSMGEN_COMMAND=$SSMGEN_HOME/bin/ssmgen
export SSMGEN_HOME SSMGEN_SOURCE_DIR SSMGEN_COMMAND
# No network: what CRAN and Bioconductor would be asked for is left out.
export BIOCONDUCTOR_ONLINE_VERSION_DIAGNOSIS=FALSE
export _R_CHECK_CRAN_INCOMING_=FALSE _R_CHECK_SYSTEM_CLOCK_=FALSE _R_CHECK_FORCE_SUGGESTS_=FALSE
rm -rf "$2"
mkdir -p "$2"
cd "$2"
R CMD build "$package"
R CMD check --as-cran --no-manual ssmgen_*.tar.gz
Rscript -e 'if (!requireNamespace("BiocCheck", quietly = TRUE)) {
    cat("BiocCheck is not installed\n")
} else {
    dir.create("library")
    tarball <- Sys.glob("ssmgen_*.tar.gz")
    install.packages(tarball, "library", repos = NULL, quiet = TRUE)
    .libPaths(c("library", .libPaths()))
    found <- BiocCheck::BiocCheck(tarball, `no-check-bioc-help` = TRUE, `no-check-CRAN` = TRUE,
        `no-check-deprecated` = TRUE, `no-check-remotes` = TRUE, `no-check-version-num` = TRUE)
    quit(status = if (length(found$error)) 1L else 0L)
}'
