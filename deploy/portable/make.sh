#!/bin/sh
# make.sh CC PROGRAM FOLDER: a folder that holds PROGRAM (titian-adapter) with all libraries it needs and their loader. It runs on any
# Linux of this machine's kind from 3.2 on, whatever is installed there.
set -eu
cc=$1 program=$2 to=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$to.new"
mkdir -p "$to.new/lib"
# ldd prints `NAME => PATH (ADDRESS)`, and the loader as `PATH (ADDRESS)`.
ldd "$program" | awk '$2 == "=>" && $3 == "not" { print "missing " $1; exit 1 } $2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' >"$to.new/list"
while read -r lib; do
	case $lib in
	*/ld-linux*) cp -L "$lib" "$to.new/lib/ld.so" ;;
	*) cp -L "$lib" "$to.new/lib/" ;;
	esac
done <"$to.new/list"
rm "$to.new/list"
test -x "$to.new/lib/ld.so"
cp "$program" "$to.new/lib/titian-adapter"
"$cc" -std=gnu17 -O2 -Wall -Wextra -Werror -static -o "$to.new/titian-adapter" "$here/launch.c"
rm -rf "$to"
mv "$to.new" "$to"
