# video-balancer: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

RELEASE := .build/release/video-balancer
export BALANCER_ASSETS ?= $(CURDIR)/.build/assets
CORPORA ?= ../shared/corpora

# SwiftPM passes a package's traits to the compiler in the order of a hash, which without this is another in each run: then everything that
# has the traits is compiled again, although nothing was changed. For the builds alone: what we serve with has its hashes seeded.
BUILD := SWIFT_DETERMINISTIC_HASHING=1 swift build

.PHONY: setup run build smoke test soak check format bench demo conformance docs deb container help

help: ## This list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Installs the Debian packages that building and testing need.
	@scripts/setup build test

build: ## Release build: .build/release/video-balancer.
	@scripts/setup build
	@test -x $(RELEASE) || echo "make: building for the first time, libraries included: about 7 minutes on two cores; later builds take" \
	    "seconds. [n/m] below counts the steps." >&2
	$(BUILD) -c release --product video-balancer

run: build ## Builds and serves; settings come from the environment and .env.
	@scripts/fetch-assets || echo "make: continuing without Swagger UI" >&2
	@exec $(RELEASE) serve

smoke: ## Unit and property tests, two minutes at most.
	@scripts/setup build
	$(BUILD) --build-tests
	swift test --skip-build --skip VideoBalancerTests

test: build ## Everything CI needs: all tests, the release binary end to end, the demo.
	@scripts/setup test
	scripts/fetch-assets
	for page in settings metrics; do $(RELEASE) $$page | diff docs/$$page.md - || { echo "docs/$$page.md is stale: make docs" >&2; exit 1; }; done
	$(BUILD) --build-tests
	# Three runs, each suite in one. All suites of a run share a process and the machine at once: sockets are tested alone because they
	# count the process's descriptors and the kernel's resets, and the binary apart because it is put under load.
	swift test --skip-build --skip SocketTests --skip VideoBalancerTests
	scripts/apart swift test --skip-build --filter SocketTests
	BALANCER_BINARY=$(CURDIR)/$(RELEASE) swift test --skip-build --filter VideoBalancerTests
	scripts/fuzz
	scripts/api-tests
	scripts/demo --quick

soak: build ## On demand, hours: long kill loops, a hundred million fuzzed connections, a million real ones, sanitizers.
	@scripts/setup test soak
	$(BUILD) --build-tests
	SOAK=1 BALANCER_BINARY=$(CURDIR)/$(RELEASE) swift test --skip-build --filter VideoBalancerTests
	scripts/fuzz FuzzRequests -runs=100000000
	scripts/fuzz FuzzVideos -runs=20000000
	scripts/fuzz FuzzHTTP2 -runs=5000000
	scripts/sanitize
	scripts/partition
	scripts/fault-matrix
	for load in descriptors large-catalog readers demoted; do scripts/fault-matrix $$load --soak || exit 1; done
	scripts/cdn-failures
	SOAK=1 scripts/api-tests

check: ## Formatting, imports, traps; fails on a difference.
	@scripts/check

format: ## Formats all Swift code.
	@scripts/check --format

demo: build ## A real HLS stream, real nginx origins and CDNs, real players.
	@scripts/setup test
	scripts/demo

conformance: build ## Sends HTTP/1 vectors and redirect cases: make conformance CORPORA=DIR.
	scripts/conformance $(CORPORA)

bench: build ## CPU per redirect beside nginx and HAProxy, and start-up; rewrites docs/performance.md.
	@scripts/setup test bench
	Benchmarks/redirects --write
	Benchmarks/tls/handshakes --write

docs: build ## Rewrites docs/settings.md and docs/metrics.md from the program's tables.
	$(RELEASE) settings > docs/settings.md
	$(RELEASE) metrics > docs/metrics.md

deb: ## A Debian package with a self-contained binary, in .build/deb.
	@scripts/setup build package
	$(BUILD) -c release --static-swift-stdlib --product video-balancer --scratch-path .build-static
	scripts/package-deb .build-static/release/video-balancer

container: ## The container image "video-balancer"; needs a Docker engine (scripts/container tries it without).
	docker build -f deploy/Dockerfile -t video-balancer .
