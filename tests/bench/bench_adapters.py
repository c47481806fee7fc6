#!/usr/bin/env python3
"""make bench: our adapter beside Kafka Connect's file source (FileStreamSource, Apache Kafka), in one run on the same file and broker.

Connect publishes each line as it stands: it neither splits nor checks it, nor knows a row that it has published before. Ours does all of
that. Connect has the heap its own script gives it (256 MB to 2 GB; with 256 MB it runs out of memory on 1,000,000 rows). Both are warm before the file comes, so that neither pays for its start; `per core` is by CPU time, broker left out.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time
import types

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from meter import ROOT, WORK, cpu, line, stage
from conftest import free_ports, wait_for
from own_adapter import OwnAdapter

ROWS = int(os.environ.get("BENCH_ADAPTER_ROWS", "1000000"))
CONNECT = ROOT / "build/connect"
POM = ROOT / "tests/bench/connect/pom.xml"
HEAD = "ID;TANGGAL;NAMA;ALAMAT;JENIS;JUMLAH;KODE;KETERANGAN\n"
MAPPING = """feed: bench_berkas
files: ["berkas*.csv"]
topic: pku.banding.berkas_csv.v1
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


def jars():
    """Connect's jars, once for each version of the pom."""
    mark, now = CONNECT / "complete", hashlib.sha256(POM.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != now:
        shutil.rmtree(CONNECT / "lib", ignore_errors=True)
        subprocess.run(["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime",
                        "-DoutputDirectory=%s" % (CONNECT / "lib")], check=True)
        mark.write_text(now)
    return "%s/*" % (CONNECT / "lib")


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text()).group(1)) / 1024


def some_file(path):
    with open(path, "w") as f:
        f.write(HEAD)
        for i in range(ROWS):
            f.write("%09d;2025-%02d-%02d;NAMA KE %d;JALAN MAWAR NO %d RT 0%d;%s;%d.000;%010d;-\n" % (
                i, i % 12 + 1, i % 28 + 1, i % 9973, i % 211, i % 9, "BARU" if i % 3 else "PERPANJANGAN", i % 999 + 1, i * 7))


def ends(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})

    def end():
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20, cached=False)[1]
    return end


def measured(name, pid, give, end, want):
    """Rows a second by the clock and by CPU time, from the file's coming to its last record's being readable."""
    before, began = cpu(pid), time.monotonic()
    give()
    wait_for(lambda: end() >= want, 300, "the last record")
    wall, used = time.monotonic() - began, cpu(pid) - before
    line("adapter_%s_rows_per_s" % name, ROWS / wall, "rows/s")
    line("adapter_%s_rows_per_core_s" % name, ROWS / used, "rows/s")
    line("adapter_%s_rss_mb" % name, peak_mb(pid), "MB")
    return ROWS / used, peak_mb(pid)


def ours(city, source):
    own = OwnAdapter(city, "banding", {"berkas_csv": SCHEMA}, {"berkas.yaml": MAPPING}).start()
    try:
        hidden = own.dir / "drop/.berkas.csv"
        shutil.copy(source, hidden)
        return measured("file", own.process.pid, lambda: hidden.rename(own.dir / "drop/berkas.csv"),
                        ends(city.bootstrap, "pku.banding.berkas_csv.v1"), ROWS)
    finally:
        own.stop()


def connect(city, source, folder):
    port = free_ports(1)
    (folder / "worker.properties").write_text("\n".join([
        "bootstrap.servers=" + city.bootstrap, "key.converter=org.apache.kafka.connect.storage.StringConverter",
        "value.converter=org.apache.kafka.connect.storage.StringConverter", "offset.storage.file.filename=%s" % (folder / "offsets"),
        "listeners=http://127.0.0.1:%d" % port, "plugin.path=%s" % (CONNECT / "lib"), "plugin.discovery=only_scan", ""]))
    target = folder / "lines.csv"
    (folder / "file.properties").write_text("\n".join([
        "name=berkas", "connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max=1", "file=%s" % target,
        "topic=bench-connect-file", ""]))
    admin = AdminClient({"bootstrap.servers": city.bootstrap})
    admin.create_topics([NewTopic("bench-connect-file", 1, 1)])["bench-connect-file"].result(30)
    with open(folder / "connect.log", "wb") as log:
        process = subprocess.Popen(["java", "-Xms256M", "-Xmx2G", "-cp", jars(), "org.apache.kafka.connect.cli.ConnectStandalone",
                                    str(folder / "worker.properties"), str(folder / "file.properties")], stdout=log, stderr=log)
    try:
        hidden = folder / "hidden.csv"
        shutil.copy(source, hidden)
        # One line first, and read: classes are loaded, the producer is connected.
        end = ends(city.bootstrap, "bench-connect-file")
        target.write_text(HEAD)
        wait_for(lambda: end() >= 1 or process.poll() is not None, 120, "Connect")
        assert process.poll() is None, (folder / "connect.log").read_text()[-2000:]
        begun = end()

        def give():  # the same open file grows
            with open(target, "ab") as to, open(hidden, "rb") as of:
                of.readline()
                shutil.copyfileobj(of, to, 1 << 20)
        return measured("connect_file", process.pid, give, end, begun + ROWS)
    finally:
        process.kill()  # one that is out of memory does not hear SIGTERM
        process.wait(30)


if __name__ == "__main__":
    jars()
    place = stage.fresh(WORK / "bench-adapters-connect")
    some_file(place / "rows.csv")
    with stage.kafka(place) as bootstrap, stage.registry(place, bootstrap) as url:
        town = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        rows, memory = ours(town, place / "rows.csv")
        other_rows, other_memory = connect(town, place / "rows.csv", place)
        line("adapter_file_per_core_ratio", rows / other_rows, "ratio")
        line("adapter_file_memory_ratio", memory / other_memory, "ratio")
    shutil.rmtree(place)
