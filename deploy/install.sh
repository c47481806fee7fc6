#!/bin/bash
# deploy/install.sh - brings the Debian 12 packages that Titian is built, run and tested with.
#
#   deploy/install.sh            what deploy/packages.txt names for build, run and test
#   deploy/install.sh build run  only those kinds
#
# Installs what is missing and nothing else; a second run takes a fraction of a second.
# Exit 1: a package is missing and cannot be installed; the message says what to run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kinds=" ${*:-build run test} "

missing=()
while read -r name kind; do
	[ -z "$name" ] || [ "${name#\#}" != "$name" ] && continue
	[[ $kinds == *" $kind "* ]] || continue
	# A program of the same purpose that is there already (another JDK, another Maven) will do.
	case $name in
	openjdk-17-jre-headless) java -version 2>&1 | grep -q 'version "\(17\|2[0-9]\)' && continue ;;
	maven) command -v mvn >/dev/null && continue ;;
	python3) python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && continue ;;
	openjdk-17-jdk-headless) command -v javac >/dev/null && continue ;;
	nodejs) command -v node >/dev/null && continue ;;
	npm) command -v npm >/dev/null && continue ;;
	golang-go) command -v go >/dev/null && continue ;;
	cargo) command -v cargo >/dev/null && continue ;;
	python3-venv) python3 -c 'import venv, ensurepip' 2>/dev/null && continue ;;
	esac
	dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
done <"$here/packages.txt"
[ ${#missing[@]} -eq 0 ] && exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then
	if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		run=(sudo)
	else
		echo "Paket Debian berikut belum ada, dan memasangnya perlu root / these packages are missing and need root:" >&2
		echo "  sudo apt-get install ${missing[*]}" >&2
		exit 1
	fi
fi
echo "memasang / installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${run[@]}" apt-get -q update &&
	"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "apt-get gagal / failed: lihat di atas / see above" >&2
	exit 1
fi
