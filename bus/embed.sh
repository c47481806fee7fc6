#!/bin/sh
# bus/embed.sh NAME FOLDER FILE... - the files as C: NAME[] of struct bus_file (bus/embed.h) and how many, NAMEs, on stdout.
set -eu
name=$1 folder=$2
shift 2
echo '#include "bus/embed.h"'
i=0
for f in "$@"; do
	echo "static const unsigned char file_${i}[] = {"
	od -An -v -tu1 "$f" | awk '{gsub(/ +/, ","); sub(/^,/, ""); print $0 ","}'
	echo "};"
	i=$((i + 1))
done
echo "const struct bus_file ${name}[] = {"
i=0
for f in "$@"; do
	case $f in
	*.html) type='text/html; charset=utf-8' ;;
	*.css) type='text/css; charset=utf-8' ;;
	*.js) type='text/javascript; charset=utf-8' ;;
	*.svg) type='image/svg+xml' ;;
	*.json) type='application/json' ;;
	*) type='application/octet-stream' ;;
	esac
	echo "	{ \"${f#"$folder"/}\", \"$type\", file_$i, sizeof(file_$i) },"
	i=$((i + 1))
done
echo '};'
echo "const size_t ${name}s = $i;"
