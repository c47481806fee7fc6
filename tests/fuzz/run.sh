#!/bin/sh
# Builds every libFuzzer target with clang, ASan and UBSan, and runs each for a while, two at a time.
#
#   run.sh SECONDS [NAME...]     NAME as in fuzz_NAME.c; all when none is given
#
# A crash leaves its input in build/fuzz/crash-*; put it into tests/fuzz/corpus/NAME/ with the fix.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
out=build/fuzz
mkdir -p $out
CC=clang-14 CONFIG=fuzz
flags="-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined"
make -s -j2 CC=$CC CONFIG=$CONFIG CFLAGS_fuzz="$flags" WARN="-Wno-unknown-warning-option" \
	build/fuzz/libgateway.a build/fuzz/libadapter.a build/fuzz/libschema.a build/fuzz/libbus.a
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's,.*/fuzz_\(.*\)\.c,\1,')
libs="$out/libgateway.a $out/libadapter.a $out/libschema.a $out/libbus.a"
libs="$libs $(pkg-config --libs rdkafka libmicrohttpd libcrypto sqlite3 yaml-0.1 libxxhash libcurl) -lpthread -lm"
for name in "$@"; do
	if [ ! -x $out/fuzz_$name ] || [ tests/fuzz/fuzz_$name.c -nt $out/fuzz_$name ] || [ $out/libbus.a -nt $out/fuzz_$name ] ||
		[ $out/libschema.a -nt $out/fuzz_$name ] || [ $out/libadapter.a -nt $out/fuzz_$name ] || [ $out/libgateway.a -nt $out/fuzz_$name ]; then
		$CC -std=gnu17 -D_GNU_SOURCE -I. -O1 -g -fsanitize=address,undefined,fuzzer -fno-sanitize-recover=undefined \
			-o $out/fuzz_$name tests/fuzz/fuzz_$name.c $libs
	fi
done
one() { # NAME
	mkdir -p "$out/corpus/$1" "tests/fuzz/corpus/$1"
	if "$out/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
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
