#!/bin/sh
# A test's own certificates, made by the openssl command: pki.sh FOLDER
#   ca.pem other-ca.pem                     two authorities that know nothing of each other
#   server.pem server.key, renewed.pem .key 127.0.0.1 and localhost
#   dinsos, admin, nobody                   clients of ca: CN and a DNS name
#   stranger (of other-ca) ended (yesterday) revoked (in crl.pem) webonly (not for clients)
set -eu
mkdir -p "$1"
cd "$1"
umask 077
exec 2>>pki.log
authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$1.key" -out "$1.pem" -addext keyUsage=critical,keyCertSign,cRLSign
	mkdir -p "$1.db"
	: > "$1.db/index"
	printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s.db/index\nnew_certs_dir=%s.db\nrand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no\ndefault_crl_days=30\n[any]\norganizationName=optional\ncommonName=supplied\n' \
		"$1" "$1" > "$1.conf"
}
issue() { # AUTHORITY NAME SUBJECT PURPOSE NAMES LIFE...
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$3" -keyout "$2.key" -out "$2.csr"
	printf 'extendedKeyUsage=%s\nsubjectAltName=%s\n' "$4" "$5" > "$2.ext"
	ca=$1 name=$2
	shift 5
	openssl ca -batch -notext -config "$ca.conf" -cert "$ca.pem" -keyfile "$ca.key" -extfile "$name.ext" \
		-in "$name.csr" -out "$name.pem" "$@"
}
authority ca
authority other-ca
issue ca server /CN=server serverAuth IP:127.0.0.1,DNS:localhost -days 30
issue ca renewed /CN=renewed serverAuth IP:127.0.0.1,DNS:localhost -days 30
issue ca dinsos "/O=Pekanbaru/CN=dinsos" clientAuth DNS:adapter.dinsos.test,URI:urn:opd:dinsos -days 30
issue ca admin /CN=admin clientAuth DNS:admin.test -days 30
issue ca nobody /CN=nobody clientAuth DNS:nobody.test -days 30
issue other-ca stranger /CN=dinsos clientAuth DNS:adapter.dinsos.test -days 30
issue ca ended /CN=dinsos clientAuth DNS:adapter.dinsos.test -startdate 20200101000000Z -enddate 20200102000000Z
issue ca revoked /CN=dinsos clientAuth DNS:adapter.dinsos.test -days 30
issue ca webonly /CN=dinsos serverAuth DNS:adapter.dinsos.test -days 30
openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -revoke revoked.pem
openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -gencrl -out crl.pem
