#!/bin/sh
# Every exported name starts with its folder's prefix. check_symbols.sh BUILD
set -eu
bad=0
check() { # ARCHIVE PREFIX
	all=$(nm --defined-only -g "$1") || exit 1
	names=$(echo "$all" | awk 'NF == 3 && $2 ~ /[TDBR]/ {print $3}' | grep -vE "^($2)" || true)
	if [ -n "$names" ]; then
		echo "check-symbols: names without the prefix $2 in $1:" >&2
		echo "$names" | head -20 >&2
		bad=1
	fi
}
check "$1/libbus.a" 'bus_'
check "$1/libschema.a" 'schema_'
check "$1/libadapter.a" 'adapter_'
check "$1/libgateway.a" 'gw_'
check "$1/libctl.a" 'ctl_'
exit $bad
