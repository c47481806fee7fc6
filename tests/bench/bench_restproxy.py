#!/usr/bin/env python3
"""REST Proxy's consumers' part of make bench, alone: one reader that asks for records again and again (GET .../records,
Avro, answers of some MB), everything in clear and with fields masked; and the same topic by plain librdkafka
(tests/bench/read_raw.c) in the same run: consume_ratio.

The client is curl, which throws away what it gets. A broker and a registry of its own; all share the machine.
"""
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import types
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/support")]
import fastavro  # noqa: E402
import stage  # noqa: E402
from conftest import WORK  # noqa: E402
from own_gateway import OwnGateway, Topic  # noqa: E402

RECORDS = int(os.environ.get("BENCH_RECORDS", "1500000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PARTITIONS = 4
SCHEMA = json.loads((ROOT / "schemas/avsc/dinsos/bansos.avsc").read_text())
NAME = "pku.bench.baca.v1"
POLICY = "readers: {uji: {topics: {%s: {clear: ['*']}}, groups: ['*']}, tutup: {topics: {%s: {}}, groups: ['*']}}\n" % (NAME, NAME)
VIEW = """/*---
name: lain
key: id
routes: {bench_lain: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM bench_lain
"""


def line(name, value, unit):
    print("%s %s %s" % (name, ("%.3f" % value).rstrip("0").rstrip(".") if isinstance(value, float) else value, unit), flush=True)


def fill(topic):
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


def ask(gateway, reader, method, path, body=None):
    request = urllib.request.Request(gateway.url + path, body and json.dumps(body).encode(), method=method,
                                     headers={"X-Api-Key": gateway.keys[reader], "Content-Type": "application/vnd.kafka.v2+json"})
    return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"null")


def read(gateway, folder, reader, max_bytes, size):
    """Records a second, and CPU microseconds of the gateway a record."""
    made = ask(gateway, reader, "POST", "/consumers/bench%d" % time.time_ns(), {"format": "avro", "auto.offset.reset": "earliest",
                                                                              "auto.commit.enable": "true", "fetch.min.bytes": 100000})
    path = made["base_uri"][made["base_uri"].index("/consumers"):]
    ask(gateway, reader, "POST", path + "/assignments", {"partitions": [{"topic": NAME, "partition": p} for p in range(PARTITIONS)]})
    config = folder / "curl"
    answers = int(RECORDS * size / max_bytes * 1.3) + 4
    config.write_text(('url = "%s%s/records?timeout=100&max_bytes=%d"\noutput = "/dev/null"\n' % (gateway.url, path, max_bytes)) * answers +
                      'header = "X-Api-Key: %s"\nheader = "Accept: application/vnd.kafka.avro.v2+json"\nsilent\nfail\n' % gateway.keys[reader])
    before, cpu = gateway.metric("titian_consumers_records_total"), ticks(gateway)
    begun = time.monotonic()
    curl = subprocess.Popen(["curl", "-K", str(config)])
    while gateway.metric("titian_consumers_records_total") - before < RECORDS:
        assert curl.poll() is None, "read %d of %d" % (gateway.metric("titian_consumers_records_total") - before, RECORDS)
        time.sleep(0.02)
    took, cpu = time.monotonic() - begun, ticks(gateway) - cpu
    curl.kill()
    curl.wait()
    ask(gateway, reader, "DELETE", path)
    return RECORDS / took, cpu * 1e6 / RECORDS


def ticks(gateway):
    fields = pathlib.Path("/proc/%d/stat" % gateway.process.pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raw(city):
    run = subprocess.run([str(ROOT / "build/release/bench/read_raw"), city.bootstrap, NAME, str(PARTITIONS), str(RECORDS)],
                         capture_output=True, text=True, check=True)
    return float(run.stdout)


def main():
    folder = stage.fresh(WORK / "bench_restproxy")
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        city = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        other = Topic(city, "pku.bench.lain.v1", {**SCHEMA, "name": "Lain"})
        size = fill(Topic(city, NAME, SCHEMA, partitions=PARTITIONS))
        gateway = OwnGateway(city, "bench_restproxy_gateway", [other], {"lain": VIEW}, POLICY, readers=("uji", "tutup")).start()
        try:
            line("consume_record", round(size), "bytes")
            raw(city)  # from the page cache, as what follows
            rounds = []
            for _ in range(ROUNDS):
                theirs = raw(city)
                rounds.append((*read(gateway, folder, "uji", 4 << 20, size), theirs))
            line("consume_ratio", max(r[0] / r[2] for r in rounds), "of plain librdkafka (%s a round)" % ", ".join("%.2f" % (r[0] / r[2]) for r in rounds))
            line("consume_librdkafka", round(max(r[2] for r in rounds)), "records/s")
            line("consume_avro_4mb", round(max(r[0] for r in rounds)), "records/s")
            line("consume_avro_cpu", min(r[1] for r in rounds), "us of the gateway's CPU a record")
            for mb in (1, 8):
                line("consume_avro_%dmb" % mb, round(read(gateway, folder, "uji", mb << 20, size)[0]), "records/s")
            line("consume_masked_4mb", round(read(gateway, folder, "tutup", 4 << 20, size)[0]), "records/s")
            line("consume_rss", gateway.rss_kb() // 1024, "MB")
        finally:
            gateway.stop()


main()
