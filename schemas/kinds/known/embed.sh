#!/bin/sh
# schemas/kinds/known/embed.sh FILE... - the .proto files that come with the compiler, as C (schemas/kinds/proto_known.h), on stdout.
# In the folder this script is in, a file's path is the name it is imported by.
set -eu
echo '#include "schemas/kinds/proto_known.h"'
i=0
for f in "$@"; do
	echo "static const char file_${i}[] = {"
	od -An -v -tu1 "$f" | awk '{gsub(/ +/, ","); sub(/^,/, ""); print $0 ","}'
	echo "};"
	i=$((i + 1))
done
echo 'const struct schema_proto_known_file schema_proto_known_file[] = {'
i=0
for f in "$@"; do
	echo "	{ \"${f#*schemas/kinds/known/}\", file_$i, sizeof(file_$i) },"
	i=$((i + 1))
done
echo '};'
echo "const size_t schema_proto_known_files = $i;"
