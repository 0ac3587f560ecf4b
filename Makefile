# make demo   build Lancehead and run the examples on real C libraries
# make test   build it and run every test
# make test-wheels  install wheels from the package index with Lancehead's own pip and run them (needs the network)
# make test-tools   run pip, pytest, mypy and other tools of the package index on both (needs the network)
# make bench  side-by-side tables (installs pypy3, luajit and numpy for comparison)

BUILD_PACKAGES = gcc libc6-dev pkg-config libffi-dev python3.11 libpython3.11-stdlib
DEMO_PACKAGES = $(BUILD_PACKAGES) zlib1g libsqlite3-0
TEST_PACKAGES = $(DEMO_PACKAGES) python3.11-dev libpython3.11-testsuite g++ swig python3-pip binutils
WHEEL_PACKAGES = $(BUILD_PACKAGES) python3.11-venv
BENCH_PACKAGES = $(DEMO_PACKAGES) python3.11-dev pypy3 luajit
# Crates with tests of their own (the rest is tested by programs).
TESTED = lh-abi lh-bytecode lh-compiler lh-jit-ir lh-jit-opt lh-jit-x64 lh-foreign lh-ctypes
LANCEHEAD = $(CURDIR)/target/release/lancehead

.PHONY: demo test test-wheels test-tools bench build

build:
	@tools/install-deps.sh $(BUILD_PACKAGES)
	cargo build --release --locked

demo:
	@tools/install-deps.sh $(DEMO_PACKAGES)
	cargo build --release --locked
	python3.11 examples/demo.py $(LANCEHEAD)

test:
	@tools/install-deps.sh $(TEST_PACKAGES)
	cargo build --release --locked
	cargo test --release --locked $(addprefix -p ,$(TESTED))
	python3.11 tests/run.py $(LANCEHEAD) --modes off,on,stress
	python3.11 tests/interactive.py $(LANCEHEAD)
	python3.11 tests/fuzz/programs.py $(LANCEHEAD) --count 60 --modes on,stress
	python3.11 tests/fuzz/malformed.py --compare $(LANCEHEAD) 60 1
	python3.11 tests/c_api.py $(LANCEHEAD)
	python3.11 tests/fuzz/api.py $(LANCEHEAD) --calls 200
	python3.11 tests/lib_dynload.py $(LANCEHEAD) --quick
	python3.11 tests/extensions/run.py $(LANCEHEAD)

test-wheels:
	@tools/install-deps.sh $(WHEEL_PACKAGES)
	cargo build --release --locked
	python3.11 tests/wheels/run.py $(LANCEHEAD)

test-tools:
	@tools/install-deps.sh $(BUILD_PACKAGES) python3-pip
	cargo build --release --locked
	python3.11 tests/tools/run.py $(LANCEHEAD)

bench:
	@tools/install-deps.sh $(BENCH_PACKAGES)
	cargo build --release --locked
	python3.11 bench/run.py $(LANCEHEAD)
	python3.11 bench/capi.py $(LANCEHEAD)
	python3.11 bench/arrays.py $(LANCEHEAD)
