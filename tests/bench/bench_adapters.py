#!/usr/bin/env python3
"""make bench: our adapter beside Kafka Connect's file source (FileStreamSource, Apache Kafka), in one run on the same file and broker.

Ours splits a line, checks and converts its eight columns, writes Avro, knows each key and each row that it has published before, and sends a
record with its key and eleven headers, lz4, idempotent. Connect in two ways, both as its defaults send (uncompressed, not idempotent):
  connect_file         each line as it stands: no key, no header, nothing looked at. Much less work than ours;
  connect_file_record  what its stock transforms and converter can do of it: the line in a record of one field, JSON, with a key (the line,
                       for nothing stock takes a column out of it) and eleven headers (constants). Still less: no column is split or checked.
Connect has the heap its own script gives it (256 MB to 2 GB; with 256 MB it runs out of memory on 1,000,000 rows). `per core` is by CPU
time, broker left out, the median of three rounds of the same rows. Connect has read them all once before its first round: what its virtual
machine compiles meanwhile is a good part of a short run, and not the same from one to the next. Ours begins each round anew, with an empty
topic. Memory is the most after the first 1,000,000 rows, of Connect those that warm it.
"""
import os
import shutil
import statistics
import time
import types

from meter import WORK, cpu, line, stage
from kafka_connect import ends, jars, make_topic, peak_mb, worker
from conftest import wait_for
from own_adapter import OwnAdapter

ROWS = int(os.environ.get("BENCH_ADAPTER_ROWS", "1000000"))
ROUNDS = 3
HEAD = "ID;TANGGAL;NAMA;ALAMAT;JENIS;JUMLAH;KODE;KETERANGAN\n"
MAPPING = """feed: bench_berkas
files: ["berkas*.csv"]
topic: pku.%s.berkas_csv.v1
kind: events
source: {kind: delimited, separator: ";"}
values:
  id: {from: ID}
  tanggal: {from: TANGGAL, as: {date: YYYY-MM-DD}}
key: id
fields:
  id: id
  tanggal: tanggal
  nama: {from: NAMA, as: clean}
  alamat: {from: ALAMAT, as: clean}
  jenis: {from: JENIS, as: {words: {BARU: BARU, PERPANJANGAN: PERPANJANGAN}}}
  jumlah: {from: JUMLAH, as: rupiah}
  kode: {from: KODE, as: {digits: 10}}
  keterangan: {from: KETERANGAN}
"""
TEXT = [{"name": n, "type": ["null", "string"], "default": None, "doc": n, "x_pdp": "N"} for n in ("nama", "alamat", "kode", "keterangan")]
SCHEMA = {"type": "record", "name": "Banding", "namespace": "id.go.pekanbaru.banding", "doc": "Banding", "x_jenis": "peristiwa", "fields": [
    {"name": "id", "type": "string", "doc": "id", "x_pdp": "N"},
    {"name": "tanggal", "type": {"type": "int", "logicalType": "date"}, "doc": "hari", "x_pdp": "N"},
    {"name": "jenis", "type": {"type": "enum", "name": "JenisBanding", "symbols": ["BARU", "PERPANJANGAN"]}, "doc": "jenis", "x_pdp": "N"},
    {"name": "jumlah", "type": "long", "doc": "rupiah", "x_pdp": "N"}, *TEXT]}

STOCK = "org.apache.kafka.connect.transforms."
HEADERS = {"ce_specversion": "1.0", "ce_id": "pku.banding.berkas_csv.v1/0/123456", "ce_source": "/pku/banding/berkas", "ce_subject": "000123456",
           "ce_type": "id.go.pekanbaru.bus.banding.berkas_csv.v1", "ce_time": "2025-01-02T00:00:00+07:00", "content-type": "application/json",
           "titian_stream": "pku.banding.berkas_csv.v1/0", "titian_seq": "123456", "titian_file": "0123456789abcdef", "titian_line": "123456"}
TRANSFORMS = {"record": {"type": STOCK + "HoistField$Value", "field": "line"}, "key": {"type": STOCK + "ValueToKey", "fields": "line"},
              "text": {"type": STOCK + "ExtractField$Key", "field": "line"},
              **{"h%d" % i: {"type": STOCK + "InsertHeader", "header": k, "value.literal": v} for i, (k, v) in enumerate(HEADERS.items())}}
RECORD = {"transforms": ",".join(TRANSFORMS), **{"transforms.%s.%s" % (name, k): v for name, options in TRANSFORMS.items()
                                                 for k, v in options.items()}}
CONNECT = {"connect_file": ("org.apache.kafka.connect.storage.StringConverter", {}),
           "connect_file_record": ("org.apache.kafka.connect.json.JsonConverter", RECORD)}


def some_file(path):
    with open(path, "w") as f:
        f.write(HEAD)
        for i in range(ROWS):
            f.write("%09d;2025-%02d-%02d;NAMA KE %d;JALAN MAWAR NO %d RT 0%d;%s;%d.000;%010d;-\n" % (
                i, i % 12 + 1, i % 28 + 1, i % 9973, i % 211, i % 9, "BARU" if i % 3 else "PERPANJANGAN", i % 999 + 1, i * 7))


def one_round(pid, give, end, want):
    """Rows a second by the clock and by CPU time, from the file's coming to its last record's being readable."""
    before, began = cpu(pid), time.monotonic()
    give()
    wait_for(lambda: end() >= want, 300, "the last record")
    return ROWS / (time.monotonic() - began), ROWS / (cpu(pid) - before)


def told(name, rounds, memory):
    wall, core = (statistics.median(figures) for figures in zip(*rounds))
    line("adapter_%s_rows_per_s" % name, wall, "rows/s")
    line("adapter_%s_rows_per_core_s" % name, core, "rows/s")
    line("adapter_%s_rss_mb" % name, memory, "MB")
    return core, memory


def ours(city, source):
    rounds, memory = [], []
    for i in range(ROUNDS):
        opd = "banding%d" % i
        own = OwnAdapter(city, opd, {"berkas_csv": SCHEMA}, {"berkas.yaml": MAPPING % opd}).start()
        try:
            hidden, pid = own.dir / "drop/.berkas.csv", own.process.pid
            shutil.copy(source, hidden)
            rounds.append(one_round(pid, lambda: hidden.rename(own.dir / "drop/berkas.csv"),
                                    ends(city.bootstrap, "pku.%s.berkas_csv.v1" % opd), ROWS))
            memory.append(peak_mb(pid))
        finally:
            own.stop()
    return told("file", rounds, max(memory))


def connect(city, source, folder, name, converter, more):
    folder, topic = stage.fresh(folder / name), "bench-" + name.replace("_", "-")
    hidden, target, end = folder / "hidden.csv", folder / "lines.csv", ends(city.bootstrap, topic)
    make_topic(city.bootstrap, topic)
    shutil.copy(source, hidden)
    target.write_text(HEAD)
    with worker(folder, city.bootstrap, converter, {
            "name": "berkas", "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "file": target, "topic": topic,
            **more}) as process:
        wait_for(lambda: end() >= 1 or process.poll() is not None, 120, "Connect")
        assert process.poll() is None, (folder / "connect.log").read_text()[-2000:]

        def give():  # the same open file grows
            with open(target, "ab") as to, open(hidden, "rb") as of:
                of.readline()
                shutil.copyfileobj(of, to, 1 << 20)
        one_round(process.pid, give, end, 1 + ROWS)
        memory = peak_mb(process.pid)
        return told(name, [one_round(process.pid, give, end, 1 + (i + 2) * ROWS) for i in range(ROUNDS)], memory)


if __name__ == "__main__":
    jars()
    place = stage.fresh(WORK / "bench-adapters-connect")
    some_file(place / "rows.csv")
    with stage.kafka(place) as bootstrap, stage.registry(place, bootstrap) as url:
        town = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        rows, memory = ours(town, place / "rows.csv")
        for name, (converter, more) in CONNECT.items():
            other_rows, other_memory = connect(town, place / "rows.csv", place, name, converter, more)
            line("adapter_file_per_core_ratio_to_" + name, rows / other_rows, "ratio")
            line("adapter_file_memory_ratio_to_" + name, memory / other_memory, "ratio")
    shutil.rmtree(place)
