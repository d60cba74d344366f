# make demo    lists 1000 domains in three ways and compares them (XEN=4.17 or 4.20: in a real Xen)
# make bench   measures every way at 1 to 32,751 guests into bench/results (likewise; minutes)
# make micro   times the library's Rust code alone, on xensim (MICRO: arguments for divan)
# make storm   1000 VMs start and stop, asked for in several ways (XEN as for demo)
# make flames  flame graphs of that, on xensim, into docs/flames
# make test    everything, on a simulated hypervisor and inside real ones
# make test-matrix   the same in Debian 13, with OCaml 5 and the headers of Xen 4.20, in a chroot that is kept
# make test-opam   installs, uses and removes what opam gets, from a clone and from a release
# make threads fuzz soak memory model memcheck asan miri   longer runs and single nets (docs/testing.md)
# make deb rpm   packages of Debian's and RPM's kind, of the commit that is checked out, in target/packages
# make deny    licences, sources and duplicates of the crates, by cargo-deny
# make tarball   a release, with the sources of all crates, in target/release-tarball
# make check   formatting, lints, warnings, documentation
# make doc     the pages of the OCaml packages (odoc) and of the Rust crates (rustdoc)
# make deps    what the others need and install by themselves: Debian packages, cargo
# make build   the library; after `make deps`, `dune build @install` alone does the same

XEN ?= sim
DEMO_RELEASE ?= 4.17
DEMO_DOMAINS ?= 1000
STORM_VMS ?= 1000
# Milliseconds that each other program takes which a VM's start or stop waits for.
STORM_WAIT ?= 0

CARGO_LOCKED := --locked
SIM := target/xensim
EXE := _build/default

.PHONY: all build sim programs demo bench bench-programs micro storm flames test test-matrix threads fuzz soak \
	test-opam memory model memcheck asan miri tarball deny check doc deps clean

# Dune does not share its directory with another.
.NOTPARALLEL:

all: build

deps:
	@scripts/deps

build: deps
	dune build @install

# The simulated hypervisor, to be found by LD_LIBRARY_PATH.
sim: deps
	cargo build $(CARGO_LOCKED) --release --target-dir target --package xensim
	sim/link.sh target/release/libxensim.a $(SIM)

programs: build
	dune build ./tests ./bench

ifeq ($(XEN),sim)
demo: programs sim
	XENSIM=version=$(DEMO_RELEASE),domains=$(DEMO_DOMAINS) LD_LIBRARY_PATH=$(SIM) \
	    $(EXE)/bench/demo/demo.exe --domains $(DEMO_DOMAINS)
else
demo: programs
	tests/xen/fetch $(XEN)
	bench/demo/run-xen $(XEN) $(EXE)/bench/demo/demo.exe $(EXE)/bench/count/libcount.so \
	    --domains $(DEMO_DOMAINS)
endif

# The Rust half of the benchmarks: a workspace of its own, bench/Cargo.toml.
bench-programs: programs sim
	@scripts/deps strace
	cargo build $(CARGO_LOCKED) --release --manifest-path bench/Cargo.toml --target-dir target/bench

# BENCH_QUICK=1: a minute's run that shows that all of it works.
bench: bench-programs
ifneq ($(XEN),sim)
	tests/xen/fetch $(XEN)
endif
	bench/run $(XEN)

# What divan is told: part of a benchmark's name, --test, --sample-count=1000; --help has them all.
MICRO ?=
# By its whole name, since cargo runs benchmarks in their package's directory.
micro: sim
	LD_LIBRARY_PATH=$(CURDIR)/$(SIM) cargo bench $(CARGO_LOCKED) --manifest-path bench/Cargo.toml \
	    --target-dir target/bench --package bench_micro -- $(MICRO)

storm: programs sim
ifneq ($(XEN),sim)
	tests/xen/fetch $(XEN)
endif
	bench/storm/run $(XEN) $(EXE)/bench $(SIM) \
	    bench/results/storm-$(XEN)-$(STORM_VMS)$(if $(filter-out 0,$(STORM_WAIT)),-wait$(STORM_WAIT)) \
	    --vms $(STORM_VMS) --wait $(STORM_WAIT)

flames: bench-programs
	@scripts/deps linux-perf
	bench/storm/flames $(EXE)/bench $(SIM) docs/flames --vms $(STORM_VMS)

test: check bench-programs
	tests/run

memcheck: programs sim
	tests/memory/memcheck $(SIM) all

asan: programs sim
	tests/memory/asan $(SIM)

memory: programs sim
	LD_LIBRARY_PATH=$(SIM) $(EXE)/tests/memory/soak.exe

miri: deps
	scripts/miri

# The second of the two Debians. The first is the machine's.
test-matrix:
	tests/matrix/run trixie make test

test-opam: deps
	tests/packaging/opam

THREADS_SECONDS ?= 60
threads: programs sim
	LD_LIBRARY_PATH=$(SIM) $(EXE)/tests/threads/hammer.exe $(THREADS_SECONDS)

# Of each fuzz target; arguments of the externals, as many of each.
FUZZ_SECONDS ?= 600
HOSTILE_CASES ?= 20000
fuzz: programs sim
	fuzz/run $(FUZZ_SECONDS)
	LD_LIBRARY_PATH=$(SIM) HOSTILE_CASES=$(HOSTILE_CASES) $(EXE)/tests/hostile/hostile.exe

SOAK_SECONDS ?= 600
SOAK_DOMAINS ?= 1000
soak: programs
	tests/soak/run $(SOAK_SECONDS) $(SOAK_DOMAINS)

# The buffer pool under every order of threads.
model: deps
	RUSTFLAGS="--cfg loom -Clink-arg=-rdynamic" cargo test $(CARGO_LOCKED) --quiet --release --lib \
	    --target-dir target/loom model

tarball: deps
	scripts/tarball

.PHONY: deb rpm
deb rpm: deps
	scripts/packages $@

deny: deps
	scripts/deny

check: deps
	scripts/check

doc: deps
	@scripts/doc

clean:
	dune clean
	cargo clean
