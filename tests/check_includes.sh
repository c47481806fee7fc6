#!/bin/sh
# Who may include whom (bus <- schemas <- adapters, gateway, deploy/ctl), and one owner for each
# outside library. Prints the offending lines and fails.
set -eu
cd "$(dirname "$0")/.."
bad=0
deny() { # MESSAGE PATTERN FILE...
	message=$1 pattern=$2
	shift 2
	if grep -nE "$pattern" "$@" 2>/dev/null; then
		echo "check-includes: $message" >&2
		bad=1
	fi
}
deny "bus includes nothing of ours but bus" '#include "(schemas|adapters|gateway|deploy)/' bus/*.[ch]
deny "schemas includes only bus" '#include "(adapters|gateway|deploy)/' schemas/*/*.[ch]
deny "schemas/avro stands on bus alone" '#include "schemas/(kinds|store|registry|catalogue)/' schemas/avro/*.[ch]
deny "schemas/kinds, schemas/catalogue stand on schemas/avro" '#include "schemas/(store|registry)/' schemas/kinds/*.[ch] schemas/catalogue/*.[ch]
deny "schemas/store knows no registry" '#include "schemas/(registry|catalogue)/' schemas/store/*.[ch]
deny "adapters never include gateway" '#include "(gateway|deploy)/' adapters/*.[ch] adapters/*/*.[ch]
deny "gateway never includes adapters" '#include "(adapters|deploy)/' gateway/*.[ch] gateway/*/*.[ch]
# The gateway's rooms, each standing on those before it: store, define, engine, serve; then feed, hook, export, publish, docs, figures, catalogue, national; restproxy stands on publish and feed.
deny "gateway/store knows no view" '#include "gateway/(define|engine|serve|feed|hook|export|publish|restproxy|docs|figures|catalogue|national)/' gateway/store/*.[ch]
deny "gateway/define knows no engine" '#include "gateway/(engine|serve|feed|hook|export|publish|restproxy|docs|figures|catalogue|national)/' gateway/define/*.[ch]
deny "gateway/engine knows no HTTP" '#include "gateway/(serve|feed|hook|export|publish|restproxy|docs|figures|catalogue|national)/' gateway/engine/*.[ch]
deny "gateway/hook stands beside feed, export, publish, docs" '#include "gateway/(feed|export|publish|restproxy|docs|figures|catalogue|national)/' gateway/hook/*.[ch]
deny "gateway/publish stands beside feed, hook, export, docs" '#include "gateway/(feed|hook|export|restproxy|docs|figures|catalogue|national)/' gateway/publish/*.[ch]
deny "gateway/restproxy stands on publish and feed" '#include "gateway/(hook|export|docs|figures|catalogue|national)/' gateway/restproxy/*.[ch]
deny "ctl includes only bus and schemas" '#include "(adapters|gateway)/' deploy/ctl/*.[ch]
deny "our headers are included with their folder" '#include "[^/"]*"' bus/*.[ch] schemas/*/*.[ch] adapters/*.[ch] adapters/*/*.[ch] gateway/*.[ch] gateway/*/*.[ch] deploy/ctl/*.[ch]
owner() { # HEADER-PATTERN ALLOWED-PATTERN
	for f in bus/*.[ch] schemas/*/*.[ch] adapters/*.[ch] adapters/*/*.[ch] gateway/*.[ch] gateway/*/*.[ch] deploy/ctl/*.[ch]; do
		if grep -qE "#include <$1" "$f" && ! echo "$f" | grep -qE "$2"; then
			echo "check-includes: $f includes <$1>, which belongs to $2" >&2
			bad=1
		fi
	done
}
owner 'yaml\.h' '^bus/yaml'
owner 'microhttpd\.h' '^bus/http'
owner 'gnutls/' '^bus/http_tls'
owner 'curl/' '^bus/client'
owner 'librdkafka/' '^bus/(kafka|admin|producer|sender|consumer)'
owner 'openssl/' '^bus/crypto'
owner '(mysql|mariadb_rpl)\.h' '^adapters/change/maria\.c'
owner 'libpq' '^(gateway/store/pg|adapters/change/pg)'
owner 'sqlite3\.h' '^gateway/store/db'
owner 'xlsxwriter\.h' '^gateway/export/xlsx'
owner 'sql(ext)?\.h' '^adapters/fetch/odbc'
owner 'zip\.h' '^(gateway/export/bundle|adapters/package)'
owner 'expat\.h' '^adapters/xml'
owner 'xxhash\.h' '^(adapters/seen|gateway/|schemas/avro/parse_names)'
exit $bad
