#!/usr/bin/env python3
"""make bench, changes: our adapter beside Debezium's PostgreSQL connector in Kafka Connect, one after the other on one server, table,
broker and load: from a row's INSERT to its record at a consumer, and a transaction of many rows.

A row says when it was inserted, by the server's clock, before its commit: the commit's own fsync counts too. The consumer is another
process on the same clock. Where ours spends the time is told by the record: ce_time is the commit, Kafka's timestamp is our call that
publishes it; and what Kafka alone takes in the same seconds is told by a probe, a record every 10 ms from a plain producer without linger
to the same consumer: whose turn is first finds Kafka less warm, and that is no merit of the other. Debezium writes JSON without schemas
(its envelope with `after`), sees nothing but the stream (snapshot.mode no_data) and asks its queue every 5 ms (by itself every 500). Ours
checks and maps, writes Avro, knows each key and publishes no place of the stream twice. All are warm: one such transaction before the one
that counts, then 5 seconds of the load. `per core` is by CPU time, server and broker left out.
"""
import datetime
import json
import multiprocessing
import os
import subprocess
import time
import types

from confluent_kafka import Consumer, Producer, TopicPartition

from meter import WORK, cpu, line, stage
from kafka_connect import ends, jars, make_topic, peak_mb, worker
from conftest import free_ports, wait_for
from test_change import Office, following, make

SECONDS = int(os.environ.get("BENCH_CHANGE_SECONDS", "20"))
ROWS = int(os.environ.get("BENCH_CHANGE_ROWS", "200000"))
WARM = 5  # seconds before those that count
RATE = 1000
WRITERS = 4
TABLE = "CREATE TABLE unit_ukurubah (kode text PRIMARY KEY, nama text, jumlah bigint)"
INSERT = "INSERT INTO unit_ukurubah VALUES ('k%d', 'Unit', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);\n"
PORT = free_ports(1)
OURS, THEIRS, PROBE = "pku.ukurubah.unit.v1", "debezium.public.unit_ukurubah", "bench-probe"
PROBE_EVERY = 10  # rows


class Served(Office):
    """Debezium comes by TCP."""
    more = ("-c", "listen_addresses=127.0.0.1", "-c", "port=%d" % PORT)


def consume(bootstrap, topic, begin, count, pipe):
    """Of count records, and of the probe's meanwhile: [when it arrived, when it was published (both ms), its headers, its value]."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, begin), TopicPartition(PROBE, 0, ends(bootstrap, PROBE)())])
    pipe.send("ready")
    found = {topic: [], PROBE: []}
    while len(found[topic]) < count:
        m = consumer.poll(1)
        if m and not m.error() and m.value():
            found[m.topic()].append((time.time() * 1e3, m.timestamp()[1], m.headers(), m.value()))
    pipe.send((found[topic], found[PROBE]))


def writer(office):
    return subprocess.Popen(["psql", "-X", "-q", "-h", office.folder, "-U", "titian", "-d", "titian"], stdin=subprocess.PIPE, text=True,
                            stdout=subprocess.DEVNULL)


def load(office, bootstrap, topic, begin):
    """RATE rows a second; what came of them and of the probe, without the warm ones."""
    count = RATE * (SECONDS + WARM)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=consume, args=(bootstrap, topic, begin, count, there))
    process.start()
    here.recv()
    writers, probe = [writer(office) for _ in range(WRITERS)], Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    began = time.monotonic()
    for i in range(count):
        pause = began + i / RATE - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        writers[i % WRITERS].stdin.write(INSERT % i)
        writers[i % WRITERS].stdin.flush()
        if i % PROBE_EVERY == 0:
            probe.produce(PROBE, b"probe")
            probe.poll(0)
    probe.flush()
    for w in writers:
        w.stdin.close()
        w.wait()
    found, probed = here.recv()
    process.join()
    return found[RATE * WARM:], probed[RATE * WARM // PROBE_EVERY:]


def figures(name, late):
    late = sorted(late)
    line(name + "_p50_ms", late[len(late) // 2], "ms")
    line(name + "_p99_ms", late[len(late) * 99 // 100], "ms")


def inserted(avro):
    """The last field of our record: union branch 1, then a zigzag long of eight bytes."""
    n, shift = 0, 0
    for b in avro[-8:]:
        n |= (b & 127) << shift
        shift += 7
    return n >> 1


def committed(headers):
    return datetime.datetime.fromisoformat(dict(headers)["ce_time"].decode()).timestamp() * 1000


def transaction(office, letter):
    office.sql("INSERT INTO unit_ukurubah SELECT '%s' || i, 'Unit ke-' || i, i FROM generate_series(1, %d) i" % (letter, ROWS))


def throughput(name, office, pid, end):
    def whole(letter):
        want = end() + ROWS
        transaction(office, letter)
        began, spent = time.monotonic(), cpu(pid)
        wait_for(lambda: end() >= want, 300, "all rows")
        return time.monotonic() - began, cpu(pid) - spent
    whole("a")
    wall, used = whole("b")
    line(name + "_rows_per_s", ROWS / wall, "rows/s")
    line(name + "_rows_per_core_s", ROWS / used, "rows/s")
    line(name + "_rss_mb", peak_mb(pid), "MB")
    return ROWS / used, peak_mb(pid)


def ours(city, office):
    own = make(city, office, "ukurubah", TABLE, partitions=1)
    own.start()
    try:
        following(own)
        end = ends(city.bootstrap, OURS)
        result = throughput("adapter_change", office, own.process.pid, end)
        found, probed = load(office, city.bootstrap, OURS, end())
        figures("adapter_change", [arrived - inserted(value) / 1000 for arrived, _, _, value in found])
        figures("adapter_change_commit_to_publish", [sent - committed(headers) for _, sent, headers, _ in found])
        figures("adapter_change_publish_to_consumer", [arrived - sent for arrived, sent, _, _ in found])
        figures("adapter_change_probe_publish_to_consumer", [arrived - sent for arrived, sent, _, _ in probed])
        return result
    finally:
        own.stop()
        office.admin("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        office.sql("TRUNCATE unit_ukurubah")


def debezium(city, office, folder):
    end = ends(city.bootstrap, THEIRS)
    make_topic(city.bootstrap, THEIRS)
    with worker(folder, city.bootstrap, "org.apache.kafka.connect.json.JsonConverter", {
            "name": "ukurubah", "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput",
            "database.hostname": "127.0.0.1", "database.port": PORT, "database.user": "titian", "database.password": "titian",
            "database.dbname": "titian", "topic.prefix": "debezium", "table.include.list": "public.unit_ukurubah",
            "publication.name": "terbit_ukurubah", "publication.autocreate.mode": "disabled", "slot.name": "debezium",
            "snapshot.mode": "no_data", "poll.interval.ms": 5}) as process:
        active = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'debezium' AND active"
        wait_for(lambda: office.admin(active).strip() == "1" or process.poll() is not None, 120, "Debezium")
        assert process.poll() is None, (folder / "connect.log").read_text()[-2000:]
        result = throughput("adapter_change_debezium", office, process.pid, end)
        found, probed = load(office, city.bootstrap, THEIRS, end())
        figures("adapter_change_debezium", [arrived - json.loads(value)["after"]["jumlah"] / 1000 for arrived, _, _, value in found])
        figures("adapter_change_debezium_probe_publish_to_consumer", [arrived - sent for arrived, sent, _, _ in probed])
        return result


def main():
    jars()
    os.environ["PGPORT"] = str(PORT)  # a server's socket is called by its port
    folder = stage.fresh(WORK / "bench-change")
    office = Served()
    try:
        with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
            city = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
            make_topic(bootstrap, PROBE)
            rows, memory = ours(city, office)
            other_rows, other_memory = debezium(city, office, stage.fresh(folder / "connect"))
            line("adapter_change_per_core_ratio_to_debezium", rows / other_rows, "ratio")
            line("adapter_change_memory_ratio_to_debezium", memory / other_memory, "ratio")
    finally:
        office.stop()


if __name__ == "__main__":
    main()
