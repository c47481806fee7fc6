#!/bin/sh
# gateway/serve/embed.sh FILE... - the files as C: a table of name, type and bytes (gateway/serve/portal.h), on stdout.
set -eu
echo '#include "gateway/serve/portal.h"'
i=0
for f in "$@"; do
	echo "static const unsigned char file_${i}[] = {"
	od -An -v -tu1 "$f" | awk '{gsub(/ +/, ","); sub(/^,/, ""); print $0 ","}'
	echo "};"
	i=$((i + 1))
done
echo 'const struct gw_file gw_portal_file[] = {'
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
	echo "	{ \"${f##*/}\", \"$type\", file_$i, sizeof(file_$i) },"
	i=$((i + 1))
done
echo '};'
echo "const size_t gw_portal_files = $i;"
