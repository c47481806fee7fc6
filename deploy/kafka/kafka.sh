#!/usr/bin/env bash
# One Kafka broker (KRaft, broker and controller in one process) on the loopback interface.
#
#   kafka.sh install [LIBDIR]                 copies Kafka's jars there, once (Maven, Java 17)
#   kafka.sh start DIR PORT [CONTROLLER_PORT] starts it; data, settings, log and pid are in DIR
#   kafka.sh stop DIR | kill DIR              SIGTERM (SIGKILL after 20 s) | SIGKILL at once
#   kafka.sh status DIR                       exit 0 when it runs, 1 when not
#
# LIBDIR is build/kafka/lib in this project, or TITIAN_KAFKA_LIB. TITIAN_KAFKA_HEAP (512m) bounds the heap.
# TITIAN_KAFKA_HOST: another address than 127.0.0.1, as in the network namespaces of the tests.
# Only the process whose pid is in DIR/kafka.pid and whose command line names DIR is ever ended.
# Exit: 0 done, 1 failed, 2 usage.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
host=${TITIAN_KAFKA_HOST:-127.0.0.1}
lib=${TITIAN_KAFKA_LIB:-$here/../../build/kafka/lib}

say() { printf 'kafka: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}
usage() {
	sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

# The jars are complete when the mark written after the copy carries the checksum of today's pom.
install_jars() {
	local mark sum
	command -v java >/dev/null || die "no Java here; on Debian 12: apt-get install openjdk-17-jre-headless"
	mkdir -p "$lib" || die "cannot make '$lib'"
	lib=$(cd "$lib" && pwd)
	mark=$lib/.complete
	sum=$(sha256sum <"$here/pom.xml")
	exec 9>"$lib/.lock" && flock 9 # two starts at once copy once
	if [ -f "$mark" ] && [ "$(cat "$mark")" = "$sum" ]; then
		exec 9>&-
		return 0
	fi
	command -v mvn >/dev/null || die "no Maven here; on Debian 12: apt-get install maven"
	say "copying Kafka's jars into '$lib' (once)"
	rm -rf "$lib.new"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$lib.new" >"$lib/../install.log" 2>&1 ||
		die "Maven failed; its last words are in '$(cd "$lib/.." && pwd)/install.log'"
	rm -f "$lib"/*.jar
	if ! { mv "$lib.new"/*.jar "$lib"/ && rmdir "$lib.new" && printf '%s\n' "$sum" >"$mark"; }; then
		die "cannot fill '$lib'"
	fi
	exec 9>&-
}

# Prints the pid when DIR's broker runs.
running() {
	local pid
	pid=$(cat "$1/kafka.pid" 2>/dev/null) || return 1
	case $pid in '' | *[!0-9]*) return 1 ;; esac
	grep -Fqxz "$1/server.properties" "/proc/$pid/cmdline" 2>/dev/null || return 1
	printf '%s\n' "$pid"
}

# A killed process lets go of its ports only at its very end: a zombie has, one that is dying has not.
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

listening() { (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null; }

# Asks for ApiVersions (key 18, version 0), which a broker answers once it takes requests.
answers() {
	local got
	exec 3<>"/dev/tcp/$host/$1" || return 1
	printf '\0\0\0\x10\0\x12\0\0\0\0\0\x01\0\x06titian' >&3
	got=$(timeout 2 head -c 8 <&3 | tail -c 4 | od -An -tu1 | tr -d ' ')
	exec 3>&-
	[ "$got" = 0001 ] # our correlation id
}

settings() {
	cat <<EOF
# Written by kafka.sh at every start; change kafka.sh, not this file.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$host:$3
listeners=PLAINTEXT://$host:$2,CONTROLLER://$host:$3
advertised.listeners=PLAINTEXT://$host:$2
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$1/data
# Topics are made by \`titian topic apply\`, with the settings their schema asks for; kept for ever unless
# the topic says otherwise.
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
log.retention.ms=-1
log.segment.bytes=268435456
message.max.bytes=1048588
# One node: the broker's own topics cannot have more copies than that, nor need 50 partitions.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
# After a SIGKILL a broker is let in again when its old session has ended: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=33554432
EOF
}

java_run() { # DIR CLASS ARGS...: in the foreground
	local dir=$1
	shift
	java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m -Dlog4j2.configurationFile="$here/log4j2.properties" \
		-cp "$lib/*" "$@" >>"$dir/kafka.log" 2>&1
}

format() {
	local dir=$1 id
	[ -f "$dir/data/meta.properties" ] && return 0
	# 16 random bytes as base64url: what Kafka calls a UUID. A leading '-' would look like an option.
	id=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)
	printf '%s\n' "$id" >"$dir/cluster.id"
	java_run "$dir" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" --ignore-formatted ||
		die "cannot format '$dir/data'; see '$dir/kafka.log'"
}

start() {
	local dir=$1 port=$2 controller=${3:-} pid log_from heap=${TITIAN_KAFKA_HEAP:-512m} i
	[ -n "$controller" ] || controller=$((port + 1))
	case $port$controller in *[!0-9]*) usage ;; esac
	install_jars
	mkdir -p "$dir" || die "cannot make '$dir'"
	dir=$(cd "$dir" && pwd)
	if pid=$(running "$dir"); then
		say "runs already (pid $pid, '$dir')"
		return 0
	fi
	for ((i = 0; i < 30; i++)); do # another broker may be ending just now
		listening "$port" || listening "$controller" || break
		sleep 0.1
	done
	for i in "$port" "$controller"; do
		listening "$i" && die "port $i is taken by another program; choose another one, or stop that program"
	done
	settings "$dir" "$port" "$controller" >"$dir/server.properties" || die "cannot write in '$dir'"
	format "$dir"
	log_from=$(($(wc -c <"$dir/kafka.log") + 1))
	# shellcheck disable=SC2086 # TITIAN_KAFKA_JVM is a list of options
	setsid java -Xms"$heap" -Xmx"$heap" ${TITIAN_KAFKA_JVM:-} \
		-Djava.awt.headless=true -Dlog4j2.configurationFile="$here/log4j2.properties" \
		-cp "$lib/*" kafka.Kafka "$dir/server.properties" </dev/null >>"$dir/kafka.log" 2>&1 &
	pid=$!
	printf '%s\n' "$pid" >"$dir/kafka.pid"
	for ((i = 0; i < 600; i++)); do
		kill -0 "$pid" 2>/dev/null || die "it ended while starting; see '$dir/kafka.log'"
		if tail -c "+$log_from" "$dir/kafka.log" | grep -q 'Kafka Server started' && answers "$port"; then
			say "$host:$port answers (pid $pid, '$dir')"
			return 0
		fi
		sleep 0.1
	done
	kill -9 "$pid" 2>/dev/null
	rm -f "$dir/kafka.pid"
	die "$host:$port does not answer after 60 s; see '$dir/kafka.log'"
}

end() { # DIR SIGNAL
	local dir pid i
	dir=$(cd "$1" 2>/dev/null && pwd) || return 0
	if ! pid=$(running "$dir"); then
		rm -f "$dir/kafka.pid"
		return 0
	fi
	kill "-$2" "$pid" 2>/dev/null
	for ((i = 0; i < 200; i++)); do
		gone "$pid" && break
		sleep 0.1
	done
	if ! gone "$pid"; then
		say "does not stop within 20 s: SIGKILL"
		kill -9 "$pid" 2>/dev/null
		for ((i = 0; i < 50; i++)); do
			gone "$pid" && break
			sleep 0.1
		done
	fi
	rm -f "$dir/kafka.pid"
}

status() {
	local dir pid
	if ! { dir=$(cd "$1" 2>/dev/null && pwd) && pid=$(running "$dir"); }; then
		echo "kafka: not running"
		exit 1
	fi
	echo "kafka: running, pid $pid, $(sed -n 's|^advertised.listeners=PLAINTEXT://||p' "$dir/server.properties")"
}

case ${1:-} in
install)
	[ $# -le 2 ] || usage
	lib=${2:-$lib}
	install_jars
	;;
start)
	[ $# -eq 3 ] || [ $# -eq 4 ] || usage
	start "$2" "$3" "${4:-}"
	;;
stop | kill | status)
	[ $# -eq 2 ] || usage
	case $1 in
	stop) end "$2" TERM ;;
	kill) end "$2" KILL ;;
	status) status "$2" ;;
	esac
	;;
*) usage ;;
esac
