#!/usr/bin/env python3
"""REST Proxy's consumers' part of make bench, alone: one reader that asks for records again and again (GET .../records,
Avro, answers of some MB), everything in clear and with fields masked; and the same topic by plain librdkafka
(tests/bench/read_raw.c) in the same run: consume_ratio.

The client is curl, which throws away what it gets. A broker and a registry of its own; all share the machine.
"""
import io
import json
import os
import random
import subprocess
import time
import urllib.request

import fastavro

from meter import SCHEMA, Topic, cpu, gateway, line, plain

RECORDS = int(os.environ.get("BENCH_RECORDS", "1500000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PARTITIONS = 4
NAME = "pku.bench.baca.v1"
POLICY = "readers: {uji: {topics: {%s: {clear: ['*']}}, groups: ['*']}, tutup: {topics: {%s: {}}, groups: ['*']}}\n" % (NAME, NAME)


def fill(city):
    """The mean bytes of a record."""
    topic = Topic(city, NAME, SCHEMA, partitions=PARTITIONS)
    chance = random.Random(1)
    rows = []
    for _ in range(3000):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, topic.schema, {
            "id_bansos": "%032x" % chance.getrandbits(128), "id_subjek": "%032x" % chance.getrandbits(128), "nik": None,
            "no_kk": "%016d" % chance.randrange(10 ** 9), "nama": "NAMA KE %d" % chance.randrange(10 ** 6), "tgl_lahir": chance.randrange(20000),
            "alamat": "JL. MELATI NO. %d" % chance.randrange(300), "kelurahan": "SIMPANG BARU", "kecamatan": "TAMPAN",
            "program": chance.choice(("PKH", "BPNT")), "nominal": 750000, "status": "AKTIF", "tanda": []})
        rows.append(b"\0" + topic.id.to_bytes(4, "big") + out.getvalue())
    for i in range(RECORDS):
        topic.put("%032x" % (i * 7919), raw=rows[i % len(rows)], partition=i % PARTITIONS)
    topic.flush()
    return sum(map(len, rows)) / len(rows) + 32


def ask(own, reader, method, path, body=None):
    request = urllib.request.Request(own.url + path, body and json.dumps(body).encode(), method=method,
                                     headers={"X-Api-Key": own.keys[reader], "Content-Type": "application/vnd.kafka.v2+json"})
    return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"null")


def read(own, folder, reader, max_bytes, size):
    """Records a second, and CPU microseconds of the gateway a record."""
    made = ask(own, reader, "POST", "/consumers/bench%d" % time.time_ns(), {"format": "avro", "auto.offset.reset": "earliest",
                                                                              "auto.commit.enable": "true", "fetch.min.bytes": 100000})
    path = made["base_uri"][made["base_uri"].index("/consumers"):]
    ask(own, reader, "POST", path + "/assignments", {"partitions": [{"topic": NAME, "partition": p} for p in range(PARTITIONS)]})
    config = folder / "curl"
    answers = int(RECORDS * size / max_bytes * 1.3) + 4
    config.write_text(('url = "%s%s/records?timeout=100&max_bytes=%d"\noutput = "/dev/null"\n' % (own.url, path, max_bytes)) * answers +
                      'header = "X-Api-Key: %s"\nheader = "Accept: application/vnd.kafka.avro.v2+json"\nsilent\nfail\n' % own.keys[reader])
    before, used = own.metric("titian_consumers_records_total"), cpu(own.process.pid)
    begun = time.monotonic()
    curl = subprocess.Popen(["curl", "-K", str(config)])
    while own.metric("titian_consumers_records_total") - before < RECORDS:
        assert curl.poll() is None, "read %d of %d" % (own.metric("titian_consumers_records_total") - before, RECORDS)
        time.sleep(0.02)
    took, used = time.monotonic() - begun, cpu(own.process.pid) - used
    curl.kill()
    curl.wait()
    ask(own, reader, "DELETE", path)
    return RECORDS / took, used * 1e6 / RECORDS


def main():
    with gateway("bench_restproxy", POLICY, fill, readers=("uji", "tutup")) as (city, own, folder, size):
        line("consume_record", round(size), "bytes")
        plain("read_raw", city.bootstrap, NAME, PARTITIONS, RECORDS)  # from the page cache, as what follows
        rounds = []
        for _ in range(ROUNDS):
            theirs = plain("read_raw", city.bootstrap, NAME, PARTITIONS, RECORDS)
            rounds.append((*read(own, folder, "uji", 4 << 20, size), theirs))
        line("consume_ratio", max(r[0] / r[2] for r in rounds), "of plain librdkafka (%s a round)" % ", ".join("%.2f" % (r[0] / r[2]) for r in rounds))
        line("consume_librdkafka", round(max(r[2] for r in rounds)), "records/s")
        line("consume_avro_4mb", round(max(r[0] for r in rounds)), "records/s")
        line("consume_avro_cpu", min(r[1] for r in rounds), "us of the gateway's CPU a record")
        for mb in (1, 8):
            line("consume_avro_%dmb" % mb, round(read(own, folder, "uji", mb << 20, size)[0]), "records/s")
        line("consume_masked_4mb", round(read(own, folder, "tutup", 4 << 20, size)[0]), "records/s")
        line("consume_rss", own.rss_kb() // 1024, "MB")


main()
