#!/bin/sh
# Runs every unit test program in a folder; what those that fail say is shown whole, at the end.
# run.sh FOLDER
set -eu
passed=0 failed=0
log=$(mktemp) said=$(mktemp)
trap 'rm -f "$log" "$said"' EXIT
for t in "$1"/test_*; do
	case $t in *.d | *.o) continue ;; esac
	if timeout 300 "$t" >"$log" 2>&1; then
		n=$(grep -c '\[       OK \]' "$log" || true)
		passed=$((passed + n))
		printf '  %-28s %s\n' "$(basename "$t")" "$n"
	else
		failed=$((failed + 1))
		printf '  %-28s %s\n' "$(basename "$t")" failed
		{ cat "$log"; echo "unit: $(basename "$t") failed"; } >>"$said"
	fi
done
cat "$said" >&2
echo "unit: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
