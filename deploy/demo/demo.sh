#!/bin/bash
# deploy/demo/demo.sh - a whole city on one machine: start, status, stop, clean. Called by the Makefile.
#
#   demo.sh start|status|stop|clean
#
# Environment: FEEDS (folder of a generated city), DEMO_DIR (data, logs, pids), GATEWAYS (1, or 2), PORT_BASE (first of five, or seven
# ports), KAFKA (host:port of a broker that is there already), BIN (our programs).
# Everything listens on loopback. Only processes whose pid file is ours are ever ended.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
FEEDS=$(realpath -m "${FEEDS:-$root/deploy/demo/feeds}")
DEMO_DIR=$(realpath -m "${DEMO_DIR:-$root/build/demo}")
PORT_BASE=${PORT_BASE:-18080}
KAFKA=${KAFKA:-}
BIN=$(realpath -m "${BIN:-$root/build/release/bin}")
OPDS="disdukcapil dinkes dinsos disdik bapenda dpmptsp bkpsdm"
COPY_MAX=$((64 * 1024 * 1024)) # a larger city is linked, not copied

GATEWAYS=${GATEWAYS:-1} # 2: a second one, with the same numbers (docs/growing.md)
gateway_port=$PORT_BASE ops_port=$((PORT_BASE + 1)) registry_port=$((PORT_BASE + 2))
kafka_port=$((PORT_BASE + 3)) controller_port=$((PORT_BASE + 4))
bootstrap=${KAFKA:-127.0.0.1:$kafka_port}

say() { printf '%s\n' "$*"; }
die() {
	printf 'demo: %s\n' "$@" >&2
	exit 1
}

# --- processes ---------------------------------------------------------------------------------------
pid_of() { # NAME: its pid, if it is running and ours (its command line names this demo's folder)
	local pid
	pid=$(cat "$DEMO_DIR/pid/$1" 2>/dev/null) || return 1
	# One command and no pipe: with pipefail a grep that has seen enough would make its feeder fail.
	grep -qzF "$DEMO_DIR/" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

launch() { # NAME PROGRAM ARG...: unless it runs already
	local name=$1
	shift
	pid_of "$name" >/dev/null && return 0
	setsid nohup "$@" </dev/null >>"$DEMO_DIR/log/$name.log" 2>&1 &
	echo $! >"$DEMO_DIR/pid/$name"
	# Until it has become the program: before, its command line is this script's, and it would be taken for dead.
	until pid_of "$name" >/dev/null || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
}

end() { # NAME: SIGTERM, and SIGKILL if it is still there after 15 s
	local pid i
	pid=$(pid_of "$1") || { rm -f "$DEMO_DIR/pid/$1"; return 0; }
	kill "$pid" 2>/dev/null || true
	for ((i = 0; i < 150; i++)); do
		pid_of "$1" >/dev/null || break
		sleep 0.1
	done
	if pid_of "$1" >/dev/null; then
		say "  $1 tidak mau berhenti, dipaksa / does not stop, forced"
		kill -9 "$pid" 2>/dev/null || true
	fi
	rm -f "$DEMO_DIR/pid/$1"
}

await() { # SECONDS NAME URL: until URL answers 200, or NAME dies
	local i
	for ((i = 0; i < $1 * 10; i++)); do
		curl -fsS -o /dev/null --max-time 2 "$3" 2>/dev/null && return 0
		pid_of "$2" >/dev/null || break
		sleep 0.1
	done
	tail -5 "$DEMO_DIR/log/$2.log" >&2
	die "$2 tidak siap / is not ready; log: $DEMO_DIR/log/$2.log"
}

listening() { # PORT
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

check_port() { # PORT NAME: free, or NAME's own
	pid_of "$2" >/dev/null && return 0
	! listening "$1" || die "port $1 ($2) sudah dipakai program lain / is taken by another program." \
		"pilih yang lain / choose another: make demo PORT_BASE=$((PORT_BASE + 100))"
}

# --- configuration -----------------------------------------------------------------------------------
write_config() {
	local opd map key linked=false
	if [ "$(feeds_size)" -gt $COPY_MAX ]; then linked=true; fi # then files may come as links
	mkdir -p "$DEMO_DIR"/{pid,log,keys,conf,view,drop,ref}
	chmod 700 "$DEMO_DIR/keys"
	for key in city $OPDS; do
		[ -f "$DEMO_DIR/keys/$key.key" ] || "$BIN/titian" key new "$DEMO_DIR/keys/$key.key" >/dev/null
	done
	cat >"$DEMO_DIR/conf/registry.yaml" <<EOF
kafka:
  bootstrap: "$bootstrap"
http:
  address: 127.0.0.1
  port: $registry_port
EOF
	cat >"$DEMO_DIR/conf/gateway.yaml" <<EOF
kafka:
  bootstrap: "$bootstrap"
http:
  address: 127.0.0.1
  port: $gateway_port
ops:
  address: 127.0.0.1
  port: $ops_port
db:
  path: $DEMO_DIR/view/city.db
views:
  dir: $root/gateway/views
catalogue:
  contact: walidata@pekanbaru.example
  names:
    disdukcapil: Dinas Kependudukan dan Pencatatan Sipil
    dinkes: Dinas Kesehatan
    dinsos: Dinas Sosial
    disdik: Dinas Pendidikan
    bapenda: Badan Pendapatan Daerah
    dpmptsp: Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu
    bkpsdm: Badan Kepegawaian dan Pengembangan Sumber Daya Manusia
    diskominfo: Dinas Komunikasi dan Informatika
webhooks: # a receiver on port 9000 of this machine may be told, for trying it
  allow: ["http://127.0.0.1:9000", 127.0.0.0/8]
$(in_a_group webhooks)
access:
  policy: $root/deploy/demo/policy.yaml
  keys: $DEMO_DIR/keys/access.keys
topics:
$(for opd in $OPDS; do
		for map in "$root/schemas/avsc/$opd"/*.avsc; do
			echo "  - pku.$opd.$(basename "$map" .avsc).v1"
		done
		echo "  - pku.$opd.karantina.v1"
		echo "  - pku.$opd.berkas.v1"
	done)
EOF
	second_gateway
	for opd in $OPDS; do
		mkdir -p "$DEMO_DIR/drop/$opd" "$DEMO_DIR/ref/$opd"
		cat >"$DEMO_DIR/conf/$opd.yaml" <<EOF
opd: $opd
drop:
  dir: $DEMO_DIR/drop/$opd
  follow_symlinks: $linked
mappings:
$(for map in "$root/adapters/opd/$opd"/*.yaml; do echo "  - $map"; done)
referensi:
  dir: $root/adapters/referensi
  extra: $DEMO_DIR/ref/$opd
key:
  city: $DEMO_DIR/keys/city.key
  opd: $DEMO_DIR/keys/$opd.key
reference_year: ${TAHUN:-2025}
kafka:
  bootstrap: "$bootstrap"
state:
  dir: $DEMO_DIR
EOF
	done
}

# GATEWAYS=2: what the configuration of each has besides.
in_a_group() {
	[ "$GATEWAYS" = 1 ] || case $1 in
	webhooks) echo "  key: $DEMO_DIR/keys/webhooks.key" ;;
	group) printf 'cursor: {key: %s/keys/cursor.key}\ngroup: {topic: _titian_gateways, name: gateway, url: "http://127.0.0.1:%s"}\n' "$DEMO_DIR" "$ops_port" ;;
	esac
}

second_gateway() {
	local key
	[ "$GATEWAYS" != 1 ] || { rm -f "$DEMO_DIR/conf/gateway2.yaml"; return 0; }
	for key in cursor webhooks; do
		[ -f "$DEMO_DIR/keys/$key.key" ] || "$BIN/titian" key new "$DEMO_DIR/keys/$key.key" >/dev/null
	done
	in_a_group group >>"$DEMO_DIR/conf/gateway.yaml"
	sed -e "s/port: $gateway_port\$/port: $((PORT_BASE + 5))/" -e "s/port: $ops_port\$/port: $((PORT_BASE + 6))/" \
		-e 's/city\.db$/city2.db/' -e "s|name: gateway, url: \"http://127.0.0.1:$ops_port\"|name: gateway2, url: \"http://127.0.0.1:$((PORT_BASE + 6))\"|" "$DEMO_DIR/conf/gateway.yaml" \
		>"$DEMO_DIR/conf/gateway2.yaml"
}

write_env() {
	local key=$1
	(
		umask 077
		cat >"$DEMO_DIR/demo.env" <<EOF
TITIAN_URL=http://127.0.0.1:$gateway_port
TITIAN_OPS_URL=http://127.0.0.1:$ops_port
TITIAN_REGISTRY_URL=http://127.0.0.1:$registry_port
TITIAN_BOOTSTRAP=$bootstrap
TITIAN_KEY=$key
TITIAN_KEY_FILE=$DEMO_DIR/keys/demo.key
PATH=$BIN:\$PATH
export TITIAN_URL TITIAN_OPS_URL TITIAN_REGISTRY_URL TITIAN_BOOTSTRAP TITIAN_KEY TITIAN_KEY_FILE PATH
EOF
		[ "$GATEWAYS" = 1 ] || cat >>"$DEMO_DIR/demo.env" <<EOF
TITIAN_URL_2=http://127.0.0.1:$((PORT_BASE + 5))
TITIAN_OPS_URL_2=http://127.0.0.1:$((PORT_BASE + 6))
export TITIAN_URL_2 TITIAN_OPS_URL_2
EOF
		printf '%s\n' "$key" >"$DEMO_DIR/keys/demo.key"
	)
}

# The readers' keys are made once, and kept in keys/reader-NAME.key (mode 0600; keys/NAME.key are the departments'); that
# of `demo` in demo.env and keys/demo.key.
make_keys() {
	[ -f "$DEMO_DIR/keys/access.keys" ] && [ -f "$DEMO_DIR/demo.env" ] && {
		write_env "$(sed -n 's/^TITIAN_KEY=//p' "$DEMO_DIR/demo.env")"
		return
	}
	rm -f "$DEMO_DIR/keys/access.keys"
	local who secret
	for who in demo dinsos publik pusat; do
		secret=$("$BIN/titian-gateway" key new --keys "$DEMO_DIR/keys/access.keys" --name $who) ||
			die "tidak dapat membuat kunci / cannot make a key"
		if [ $who = demo ]; then
			write_env "$secret"
		else
			(umask 077 && printf '%s\n' "$secret" >"$DEMO_DIR/keys/reader-$who.key")
		fi
		say "  kunci / key  $who: $secret"
	done
}

# --- feeds -------------------------------------------------------------------------------------------
check_feeds() {
	[ -d "$FEEDS" ] || die "FEEDS=$FEEDS: folder tidak ada / no such folder"
	compgen -G "$FEEDS/disdukcapil_penduduk*" >/dev/null ||
		die "FEEDS=$FEEDS: tidak ada disdukcapil_penduduk.psv; buat kota dengan generatornya / no city in there"
	if [ -f "$DEMO_DIR/feeds.path" ] && [ "$(cat "$DEMO_DIR/feeds.path")" != "$FEEDS" ]; then
		die "$DEMO_DIR berisi kota lain / holds another city: $(cat "$DEMO_DIR/feeds.path")" \
			"hapus dahulu / clean it first: make demo-clean, atau / or another DEMO_DIR=..."
	fi
	echo "$FEEDS" >"$DEMO_DIR/feeds.path"
}

feeds_size() {
	du -sbL "$FEEDS" | cut -f1
}

put() { # FILE FOLDER: appears there at once and whole; large cities by link
	local name
	name=$(basename "$1")
	[ ! "$1" -ef "$2/$name" ] || return 0 # linked by an earlier start: mv would refuse
	rm -f "$2/.$name.tmp"
	if [ "$(feeds_size)" -le $COPY_MAX ]; then
		cp "$1" "$2/.$name.tmp"
	else
		ln "$1" "$2/.$name.tmp" 2>/dev/null || ln -s "$1" "$2/.$name.tmp"
	fi
	mv "$2/.$name.tmp" "$2/$name"
}

put_references() {
	[ ! -f "$FEEDS/ref_sekolah.csv" ] || put "$FEEDS/ref_sekolah.csv" "$DEMO_DIR/ref/disdik"
}

offer() { # each department's files into its own drop folder, once
	local opd file
	mkdir -p "$DEMO_DIR/offered"
	for opd in $OPDS; do
		for file in "$FEEDS/${opd}"_*; do
			[ -f "$file" ] || continue
			[ -e "$DEMO_DIR/offered/$(basename "$file")" ] && continue
			put "$file" "$DEMO_DIR/drop/$opd"
			touch "$DEMO_DIR/offered/$(basename "$file")"
		done
	done
}

# --- commands ----------------------------------------------------------------------------------------
start() {
	mkdir -p "$DEMO_DIR"/{pid,log}
	exec 9>"$DEMO_DIR/lock"
	flock -n 9 || die "make demo lain sedang berjalan di / another make demo is running in $DEMO_DIR"
	check_feeds
	local opd began=$SECONDS
	check_port "$gateway_port" gateway
	check_port "$ops_port" gateway
	check_port "$registry_port" registry
	if [ -z "$KAFKA" ]; then
		say "Kafka     127.0.0.1:$kafka_port"
		"$root/deploy/kafka/kafka.sh" start "$DEMO_DIR/kafka" "$kafka_port" "$controller_port" 9>&- ||
			die "Kafka tidak siap / is not ready"
	else
		say "Kafka     $KAFKA (sudah ada / given)"
	fi
	write_config
	{
		"$BIN/titian" topic apply --bootstrap "$bootstrap" "$root/schemas/avsc" &&
			"$BIN/titian" topic apply --bootstrap "$bootstrap" "$root/deploy/demo/percobaan.avsc"
	} >"$DEMO_DIR/log/topics.log" 2>&1 ||
		{ cat "$DEMO_DIR/log/topics.log" >&2; die "topik tidak dapat dibuat / topics cannot be made"; }
	say "Registry  http://127.0.0.1:$registry_port"
	launch registry "$BIN/titian-registry" --config "$DEMO_DIR/conf/registry.yaml" 9>&-
	await 60 registry "http://127.0.0.1:$registry_port/subjects"
	{
		"$BIN/titian" schema register --registry "http://127.0.0.1:$registry_port" "$root/schemas/avsc" &&
			"$BIN/titian" schema register --registry "http://127.0.0.1:$registry_port" "$root/deploy/demo/percobaan.avsc"
	} >"$DEMO_DIR/log/schemas.log" 2>&1 ||
		{ cat "$DEMO_DIR/log/schemas.log" >&2; die "skema tidak dapat didaftarkan / schemas cannot be registered"; }
	say "Gateway   http://127.0.0.1:$gateway_port"
	make_keys
	put_references
	launch gateway "$BIN/titian-gateway" --config "$DEMO_DIR/conf/gateway.yaml" 9>&-
	await 60 gateway "http://127.0.0.1:$ops_port/healthz"
	if [ "$GATEWAYS" != 1 ]; then
		say "Gateway   http://127.0.0.1:$((PORT_BASE + 5))"
		launch gateway2 "$BIN/titian-gateway" --config "$DEMO_DIR/conf/gateway2.yaml" 9>&-
		await 60 gateway2 "http://127.0.0.1:$((PORT_BASE + 6))/healthz"
	fi
	say "Adapter   $OPDS"
	for opd in $OPDS; do
		launch "$opd" "$BIN/titian-adapter" --config "$DEMO_DIR/conf/$opd.yaml" 9>&-
	done
	offer
	python3 "$root/deploy/demo/watch.py" "$DEMO_DIR" || die "lihat log di / see the logs in $DEMO_DIR/log"
	[ "$GATEWAYS" = 1 ] || await 60 gateway2 "http://127.0.0.1:$((PORT_BASE + 6))/readyz"
	say "($((SECONDS - began)) s)"
}

status() {
	local name all=0
	[ -d "$DEMO_DIR/pid" ] || { say "tidak ada demo di / no demo in $DEMO_DIR"; return 3; }
	[ -n "$KAFKA" ] || "$root/deploy/kafka/kafka.sh" status "$DEMO_DIR/kafka" || all=3
	for name in registry gateway $([ ! -e "$DEMO_DIR/conf/gateway2.yaml" ] || echo gateway2) $OPDS; do
		if pid_of "$name" >/dev/null; then
			printf '%-12s berjalan / running   pid %s\n' "$name" "$(pid_of "$name")"
		else
			printf '%-12s berhenti / stopped\n' "$name"
			all=3
		fi
	done
	pid_of gateway >/dev/null && python3 "$root/deploy/demo/watch.py" "$DEMO_DIR" --once
	return $all
}

stop() {
	local name
	[ -d "$DEMO_DIR/pid" ] || { say "tidak ada demo di / no demo in $DEMO_DIR"; return 0; }
	for name in $OPDS gateway2 gateway registry; do end "$name"; done
	[ ! -d "$DEMO_DIR/kafka" ] || "$root/deploy/kafka/kafka.sh" stop "$DEMO_DIR/kafka"
	say "berhenti, data tetap di / stopped, data kept in $DEMO_DIR"
}

clean() {
	stop
	[ ! -e "$DEMO_DIR" ] || [ -f "$DEMO_DIR/feeds.path" ] ||
		die "$DEMO_DIR bukan folder demo, tidak dihapus / is no demo folder, not removed"
	rm -rf "$DEMO_DIR"
	say "dihapus / removed: $DEMO_DIR"
}

case ${1:-} in
start | status | stop | clean) "$1" ;;
*) die "pakai / use: make demo | demo-status | demo-stop | demo-clean | demo-check TRUTH=FILE" ;;
esac
