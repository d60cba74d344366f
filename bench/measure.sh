#!/bin/sh
# Measures everything on the hypervisor at hand: bench/run runs it on xensim, and inside a real Xen
# with busybox's shell. Lines of results go to standard output, each after the name of its table
# and a colon; progress goes to standard error.
#
#   NATIVE BYTECODE    the program bench, in both kinds
#   INTEROP            libbench_interop.so
#   GUESTS             numbers of guests, ascending
#   PROCESSES          those of them with which single ways are looked at from outside
#   THREADS            as for `bench measure`
#   THREADS_AT         those of the numbers of guests with which there are several threads
#   TIME               seconds of each measurement
#   QUADRATIC          the greatest number of domains to list in chunks of 2
#   CALLS              calls of a way that is looked at
#   SIMULATED          what XENSIM is to say beside the number of domains; empty in a real Xen
#   STRACE VALGRIND    those programs; where one is empty, nothing is counted by it
set -eu

: "${NATIVE:?}" "${BYTECODE:?}" "${INTEROP:?}" "${GUESTS:?}" "${PROCESSES:?}" "${THREADS:?}" "${THREADS_AT:?}"
: "${TIME:?}" "${QUADRATIC:?}" "${CALLS:?}"

say() { echo "$*" >&2; }

# Runs a command; its output is lines of that table. (A pipe would lose the exit status.)
table() {
    name=$1
    shift
    output=$("$@")
    echo "$output" | sed "s/^/$name:/"
}

# Makes the hypervisor hold so many guests.
populate() {
    if [ -n "${SIMULATED:-}" ]; then
        export XENSIM="$SIMULATED,domains=$(($1 + 1))"
    else
        "$NATIVE" grow "$1"
    fi
}

once() {
    "$NATIVE" once --interop "$INTEROP" "$@"
}

# The system calls that a command makes.
system_calls() {
    "$STRACE" -f -c -U calls,name -o /tmp/bench-strace.$$ "$@" >/dev/null
    awk '$2 == "total" { print $1 }' /tmp/bench-strace.$$
    rm -f /tmp/bench-strace.$$
}

# The instructions that it executes, the kernel's and its child's not among them.
instructions() {
    "$VALGRIND" --tool=callgrind --callgrind-out-file=/dev/null --child-silent-after-fork=yes \
        "$@" 2>&1 >/dev/null |
        sed -n 's/.*Collected : //p'
}

# What a call adds: twice as many calls, less the others.
per_call() {
    counter=$1 calls=$2
    shift 2
    few=$("$counter" "$NATIVE" once --interop "$INTEROP" "$@" --calls "$calls")
    many=$("$counter" "$NATIVE" once --interop "$INTEROP" "$@" --calls $((2 * calls)))
    awk "BEGIN { printf \"%.1f\", ($many - $few) / $calls }"
}

# One line for a way: peak memory and what the tools count.
process() {
    operation=$1 way=$2 result=$3 calls=$4 count=$5
    option=
    [ "$result" = dropped ] || option=--kept
    line=$(once "$operation" "$way" --calls "$calls" $option)
    calls_of_system='' executed=''
    if [ "$count" = yes ] && [ -n "${STRACE:-}" ]; then
        calls_of_system=$(per_call system_calls "$calls" "$operation" "$way" $option)
    fi
    if [ "$count" = yes ] && [ -n "${VALGRIND:-}" ]; then
        executed=$(per_call instructions "$calls" "$operation" "$way" $option)
    fi
    echo "processes:$line,$calls_of_system,$executed"
}

processes() {
    process none nothing dropped 1 no
    "$NATIVE" ways --interop "$INTEROP" >/tmp/bench-ways.$$
    while read -r operation way; do
        if [ "$way" = classic-2 ] && [ "$guests" -gt 4000 ]; then continue; fi
        say "  $guests guests: $operation, $way, by itself"
        # A list of tens of thousands takes long enough as it is.
        if [ "$guests" -gt 4000 ]; then
            process "$operation" "$way" dropped 5 no
            process "$operation" "$way" kept 5 no
        else
            process "$operation" "$way" dropped "$CALLS" yes
            process "$operation" "$way" kept "$CALLS" no
        fi
    done </tmp/bench-ways.$$
    rm -f /tmp/bench-ways.$$
}

header=--header
for guests in $GUESTS; do
    say "$guests guests"
    populate "$guests"
    "$NATIVE" check --interop "$INTEROP"
    threads=1
    for chosen in $THREADS_AT; do
        if [ "$chosen" = "$guests" ]; then threads=$THREADS; fi
    done
    for program in "$NATIVE" "$BYTECODE"; do
        table times "$program" measure --interop "$INTEROP" --threads "$threads" \
            --seconds "$TIME" --quadratic "$QUADRATIC" $header
        header=
    done
    # What lists cost where the minor heap has room for them.
    table times env OCAMLRUNPARAM=s=8M "$NATIVE" list --interop "$INTEROP" --seconds "$TIME"
    for chosen in $PROCESSES; do
        if [ "$chosen" = "$guests" ]; then processes "$guests"; fi
    done
done
