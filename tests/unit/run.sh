#!/bin/sh
# Runs every unit test program in a folder, so many at once (most wait for a disk or a clock, not for a core); what those
# that fail say is shown whole, at the end.
#
#   run.sh FOLDER [AT_ONCE]
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
find "$1" -maxdepth 1 -name 'test_*' ! -name '*.*' | sort |
	xargs -P "${2:-4}" -I PROGRAM sh -c '
		name=${1##*/}
		if timeout 300 "$1" >"$2/$name.log" 2>&1; then
			grep -c "\[       OK \]" "$2/$name.log" >"$2/$name.passed" || true
			printf "  %-28s %s\n" "$name" "$(cat "$2/$name.passed")"
		else
			printf "  %-28s %s\n" "$name" failed
			{ cat "$2/$name.log"; echo "unit: $name failed"; } >"$2/$name.failed"
		fi' one PROGRAM "$out"
failed=$(find "$out" -name '*.failed' | wc -l)
passed=$(cat "$out"/*.passed /dev/null | awk '{ n += $1 } END { print n + 0 }')
[ "$failed" -eq 0 ] || cat "$out"/*.failed >&2
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
