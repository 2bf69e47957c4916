#!/bin/sh
# fuzz.sh TARGET SECONDS [libFuzzer's options]: runs one fuzz target under libFuzzer and AddressSanitizer.
# fuzz.sh --merge TARGET: puts into the committed corpus, made small, what longer runs found.
#
# Starts from Tests/FuzzTests/Corpus/TARGET; what is new is kept in .build-fuzz/corpus/TARGET. An input that ends in a
# finding is written to .build-fuzz/TARGET-*: add it to the corpus together with the fix.
set -eu
cd "$(dirname "$0")/.."

merge=
if [ "${1:-}" = --merge ]; then
  merge=yes
  shift
fi
target=${1:?a target, see Tests/FuzzTargets/FuzzTarget.swift}
committed=Tests/FuzzTests/Corpus/$target
found=.build-fuzz/corpus/$target
[ -d "$committed" ] || { echo "no corpus $committed" >&2; exit 64; }

LONGSPAN_FUZZ=1 swift build -c release --product longspan-fuzz --scratch-path .build-fuzz -Xswiftc -sanitize=fuzzer,address
mkdir -p "$found"
export LONGSPAN_FUZZ_TARGET="$target" SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
fuzz=.build-fuzz/release/longspan-fuzz
if [ -n "$merge" ]; then
  # Inputs that show something no smaller input shows; large ones stay out of the repository.
  "$fuzz" -merge=1 -max_len=1024 "$committed" "$found"
else
  seconds=${2:?for how many seconds}
  shift 2
  exec "$fuzz" -max_total_time="$seconds" -max_len=8192 -timeout=10 -artifact_prefix=".build-fuzz/$target-" "$@" \
    "$found" "$committed"
fi
