#!/bin/sh
# Builds every libFuzzer target with clang, ASan and UBSan, and runs each for a while, two at a time.
#
#   run.sh SECONDS [NAME...]     NAME as in fuzz_NAME.c; all when none is given
#
# FUZZ_RUNS ends a target earlier (-1: does not), FUZZ_SEED makes a run the same each time (0: by chance).
# A crash leaves its input in build/fuzz/crash-*; put it into tests/fuzz/corpus/NAME/ with the fix.
set -eu
cd "$(dirname "$0")/../.."
out=build/fuzz
if [ "$1" = --one ]; then # SECONDS NAME, by xargs below
	mkdir -p "$out/corpus/$3" "tests/fuzz/corpus/$3"
	if "$out/fuzz_$3" -max_total_time="$2" -runs="${FUZZ_RUNS:--1}" -seed="${FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$out/crash-$3-" "$out/corpus/$3" "tests/fuzz/corpus/$3" >"$out/$3.log" 2>&1; then
		printf '  fuzz %-20s %s runs\n' "$3" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$3.log")"
		exit
	fi
	tail -40 "$out/$3.log"
	echo "fuzz: $3 failed" >&2
	exit 1
fi
seconds=$1
shift
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
printf '%s\n' "$@" | xargs -n 1 -P 2 sh tests/fuzz/run.sh --one "$seconds"
