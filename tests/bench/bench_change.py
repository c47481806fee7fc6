#!/usr/bin/env python3
"""make bench, changes: from a row's INSERT in PostgreSQL to its record at a consumer, and rows a second of one transaction.

A server, a broker, a registry and an adapter of its own. A row says when it was inserted, by the server's clock, before its
commit: the commit's own fsync counts too. The consumer is another process on the same clock.
"""
import multiprocessing
import os
import subprocess
import sys
import time
import types

from confluent_kafka import Consumer, TopicPartition

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import stage  # noqa: E402
from conftest import WORK, wait_for  # noqa: E402
from test_change import Office, following, make  # noqa: E402

SECONDS = int(os.environ.get("BENCH_CHANGE_SECONDS", "20"))
ROWS = int(os.environ.get("BENCH_CHANGE_ROWS", "300000"))
WARM = 5  # seconds before those that count
RATE = 1000
WRITERS = 4
TABLE = "CREATE TABLE unit_ukurubah (kode text PRIMARY KEY, nama text, jumlah bigint)"
INSERT = "INSERT INTO unit_ukurubah VALUES ('k%d', 'Unit', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);\n"


def line(name, value, unit):
    print("%s %.1f %s" % (name, value, unit), flush=True)


def consume(bootstrap, count, pipe):
    """When k0, k1, ... arrived, and what their rows say: microseconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition("pku.ukurubah.unit.v1", 0, 0)])
    pipe.send("ready")
    found = []
    while len(found) < count:
        for m in consumer.consume(100, 0.01):
            found.append((time.time() * 1e6, m.key(), m.value()))
    pipe.send(found)


def writer(office):
    return subprocess.Popen(["psql", "-X", "-q", "-h", office.folder, "-U", "titian", "-d", "titian"], stdin=subprocess.PIPE, text=True,
                            stdout=subprocess.DEVNULL)


def latency(office, own):
    count = RATE * (SECONDS + WARM)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=consume, args=(own.apart.bootstrap, count, there))
    process.start()
    here.recv()
    writers = [writer(office) for _ in range(WRITERS)]
    began = time.monotonic()
    for i in range(count):
        pause = began + i / RATE - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        writers[i % WRITERS].stdin.write(INSERT % i)
        writers[i % WRITERS].stdin.flush()
    for w in writers:
        w.stdin.close()
        w.wait()
    found = here.recv()
    process.join()

    def inserted(value):  # the last field of the record: union branch 1, then a zigzag long of eight bytes
        n, shift = 0, 0
        for b in value[-8:]:
            n |= (b & 127) << shift
            shift += 7
        return n >> 1
    late = sorted((arrived - inserted(value)) / 1000 for arrived, key, value in found if int(key[1:]) >= RATE * WARM)
    line("adapter_change_p50_ms", late[len(late) // 2], "ms")
    line("adapter_change_p99_ms", late[len(late) * 99 // 100], "ms")


def cpu(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(office, own):
    before, spent = own.ends("unit"), cpu(own.process.pid)
    office.sql("INSERT INTO unit_ukurubah SELECT 'b' || i, 'Unit ke-' || i, i FROM generate_series(1, %d) i" % ROWS)
    began = time.monotonic()
    wait_for(lambda: own.ends("unit") >= before + ROWS, 300, "all rows")
    line("adapter_change_rows_per_s", ROWS / (time.monotonic() - began), "rows/s")
    line("adapter_change_rows_per_cpu_s", ROWS / (cpu(own.process.pid) - spent), "rows/s")
    peak = next(l for l in open("/proc/%d/status" % own.process.pid) if l.startswith("VmHWM")).split()[1]
    line("adapter_change_rss_mb", int(peak) / 1024, "MB")


def main():
    folder = stage.fresh(WORK / "bench-change")
    office = Office()
    try:
        with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
            own = make(types.SimpleNamespace(bootstrap=bootstrap, registry=url), office, "ukurubah", TABLE, partitions=1)
            own.start()
            try:
                following(own)
                latency(office, own)
                throughput(office, own)
            finally:
                own.stop()
    finally:
        office.stop()


if __name__ == "__main__":
    main()
