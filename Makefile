# The front door: `make demo` and `make check` on a fresh Debian 12 (with git and make), as root or
# with sudo. Every target may be run again; what is there already is not done twice.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

PYTHON := .venv/bin/python
DEMO_MODEL := test_data/models/ecoli-caduceus-ps
DEMO_GENOME := test_data/genome/demo.fa
DEMO_VCF := test_data/variants/demo.vcf
DEMO_OUT := build/demo/demo.scored.vcf

.PHONY: help demo check asan tidy bench fuzz check-gpu r-check r-docs wheel install data venv clean

help: ## say what there is
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

# A build folder that holds the tests keeps them; a first one leaves them out, to be quick.
demo: ## install what is missing, build, score the bundled variants, show the top
	@.ci/bootstrap demo
	@echo "== build"
	@[ -f build/build.ninja ] || cmake --preset release -DSSMGEN_BUILD_TESTS=OFF
	@cmake --build build -j $(JOBS) --target bin/ssmgen
	@mkdir -p build/demo
	@echo "== score $(DEMO_VCF) with $(DEMO_MODEL) on $(DEMO_GENOME), on the CPU"
	build/bin/ssmgen score --model $(DEMO_MODEL) --fasta $(DEMO_GENOME) -o $(DEMO_OUT) $(DEMO_VCF)
	@echo "== the top of $(DEMO_OUT) (header left out)"
	@awk '!/^##/ && n++ < 11' $(DEMO_OUT)
	@awk -f .ci/demo_summary.awk $(DEMO_OUT)

check: venv ## install what is missing, build, run every test
	@.ci/bootstrap check
	@echo "== build"
	@cmake --preset release
	@cmake --build build -j $(JOBS)
	@echo "== test"
	@ctest --test-dir build --output-on-failure --no-tests=error -j $(JOBS)

venv: .venv/.stamp

.venv/.stamp: tests/requirements.txt
	@.ci/bootstrap check
	@echo "== python: .venv with $<"
	@/usr/bin/python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

asan: venv ## build with the address and undefined sanitizers, run every test
	@.ci/bootstrap check
	@cmake --preset asan
	@cmake --build build-asan -j $(JOBS)
	@ctest --preset asan -j $(JOBS)

tidy: ## clang-tidy over the sources
	@.ci/bootstrap tidy
	@cmake --preset tidy
	@cmake --build build-tidy -j $(JOBS)

bench: ## build and run the kernel benchmarks
	@.ci/bootstrap bench
	@cmake --preset bench
	@cmake --build build-bench -j $(JOBS)
	@for program in build-bench/bin/bench_*; do echo "== $$program"; "$$program"; done

fuzz: ## fuzz the readers with libFuzzer, FUZZ_SECONDS each
	@.ci/bootstrap fuzz
	@cmake --preset fuzz
	@cmake --build build-fuzz -j $(JOBS)
	@for program in build-fuzz/bin/fuzz_*; do \
	  echo "== $$program, $(FUZZ_SECONDS) s"; \
	  mkdir -p "build-fuzz/corpus/$${program##*/}"; \
	  "$$program" -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	    "build-fuzz/corpus/$${program##*/}"; \
	done

check-gpu: venv ## build and run the tests that need an NVIDIA card; skipped where there is none
	@.ci/bootstrap check
	@cmake --preset release
	@cmake --build build -j $(JOBS)
	@ctest --test-dir build --output-on-failure -R '[Cc]uda'

# The tarball that ctest made and installed is what R checks; it finds the library where the tests
# staged it.
r-check: venv ## R CMD check --as-cran and BiocCheck of the R package, vignette included
	@.ci/bootstrap r-check
	@cmake --preset release
	@cmake --build build -j $(JOBS)
	@ctest --test-dir build --output-on-failure -R '^(install\.install|r\.install)$$'
	@bindings/r/tests/check_package.sh build/tests/install/prefix build/r-check

r-docs: ## make the R package's man pages, NAMESPACE and RcppExports again
	@.ci/bootstrap r-check
	@cd bindings/r && Rscript -e 'Rcpp::compileAttributes(".")' \
	  -e 'roxygen2::roxygenise(load_code = roxygen2::load_source)'

wheel: venv ## make a Python wheel with the library inside, install it in a fresh venv and score
	@.ci/bootstrap check
	@[ -f build/build.ninja ] || cmake --preset release -DSSMGEN_BUILD_TESTS=OFF
	@cmake --build build -j $(JOBS) --target lib/libssmgen.so bin/ssmgen
	@bindings/python/make_wheel.sh build build/wheel
	@bindings/python/check_wheel.sh build/wheel/ssmgen-*.whl build/lib/libssmgen_cuda.so

install: ## build, then copy headers, library, command and packages to PREFIX
	@.ci/bootstrap demo
	@[ -f build/build.ninja ] || cmake --preset release -DSSMGEN_BUILD_TESTS=OFF
	@cmake --build build -j $(JOBS)
	@cmake --install build --prefix $(PREFIX)

data: venv ## make test_data again with the scripts of test_data/make
	@$(PYTHON) test_data/make/make_all.py

clean: ## remove every build folder and .venv
	rm -rf build build-debug build-asan build-tidy build-bench build-fuzz .venv
