#!/bin/sh
# Builds every libFuzzer target with clang, ASan and UBSan, and runs each for a while, two at a time.
#
#   run.sh SECONDS [NAME...]     NAME as in fuzz_NAME.c; all when none is given
#
# FUZZ_RUNS ends a target earlier (-1: does not), FUZZ_SEED makes a run the same each time (0: by chance).
# A crash leaves its input in build/fuzz/crash-*; put it into tests/fuzz/corpus/NAME/ with the fix.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
out=build/fuzz
if [ $# -eq 0 ]; then
	for f in tests/fuzz/fuzz_*.c; do
		name=${f##*/fuzz_}
		set -- "$@" "${name%.c}"
	done
fi
programs=
for name in "$@"; do
	programs="$programs $out/fuzz_$name"
done
# gcc's builds keep the warnings; clang has others of its own.
# shellcheck disable=SC2086 # a list
make -s -j2 CC=clang-14 CONFIG=fuzz B=$out WARN="-Wno-everything -Werror=implicit-function-declaration" $programs
one() { # NAME
	mkdir -p "$out/corpus/$1" "tests/fuzz/corpus/$1"
	if "$out/fuzz_$1" -max_total_time="$seconds" -runs="${FUZZ_RUNS:--1}" -seed="${FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$out/crash-$1-" "$out/corpus/$1" "tests/fuzz/corpus/$1" >"$out/$1.log" 2>&1; then
		printf '  fuzz %-20s %s runs\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$1.log")"
	else
		tail -40 "$out/$1.log"
		echo "fuzz: $1 failed" >&2
		return 1
	fi
}
failed=0
while [ $# -gt 0 ]; do
	one "$1" &
	a=$!
	shift
	if [ $# -gt 0 ]; then
		one "$1" || failed=$((failed + 1))
		shift
	fi
	wait $a || failed=$((failed + 1))
done
exit $failed
