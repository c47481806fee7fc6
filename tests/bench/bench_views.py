#!/usr/bin/env python3
"""The views' part of make bench: upkeep, look-ups, a rebuild, sizes (tests/bench/views.c, no Kafka); then the same view
of the same records in the gateway and in Kafka Streams, each from an empty state, one after the other.

Rates are per CPU second of the process (for the gateway and Kafka Streams: all its threads, fetching and decoding
too), so that other work on the machine matters little. BENCH_VIEWS_PEOPLE, BENCH_STREAMS_PEOPLE: how many residents.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request

from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from conftest import WORK, free_ports, wait_for  # noqa: E402
from meter import cpu, line  # noqa: E402

BIN, BENCH = ROOT / "build/release/bin", ROOT / "build/release/bench"
KAFKA = ROOT / "deploy/kafka/kafka.sh"
JAVA = ROOT / "build/views_streams"
PEOPLE = int(os.environ.get("BENCH_VIEWS_PEOPLE", "1200000"))
STREAMS_PEOPLE = int(os.environ.get("BENCH_STREAMS_PEOPLE", "200000"))
CHANGES = 100000
ROWS = lambda people: (people, people * 5 // 6, people // 6, people * 3 // 8, 300)  # noqa: E731 as city_rows()
TOPICS = ["pku.uji.%s.v1" % t for t in ("penduduk", "kesehatan", "bansos", "pbb", "faskes")]


def memory(pid, what):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(re.search(what + r":\s+(\d+)", text).group(1)) / 1024


def rest(process, seconds=5, share=0.05):
    """Until the process uses next to nothing for some seconds; CPU seconds it had used when that began."""
    began, used = time.monotonic(), cpu(process.pid)
    while True:
        time.sleep(0.5)
        assert process.poll() is None, "it ended"
        now = cpu(process.pid)
        if now - used > share * seconds:
            began, used = time.monotonic(), now
        elif time.monotonic() - began >= seconds:
            return used


def in_process(variant):
    folder = WORK / ("bench-views-" + variant)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([str(BENCH / "views"), str(folder), str(PEOPLE), variant], check=True)
    shutil.rmtree(folder)


class Broker:
    """Kafka and a registry of their own, with the five schemas; the same records for everybody."""

    def __init__(self, folder):
        self.dir = folder
        base = free_ports(3)
        self.bootstrap, self.registry = "127.0.0.1:%d" % base, "http://127.0.0.1:%d" % (base + 2)
        subprocess.run([str(KAFKA), "start", str(folder / "kafka"), str(base), str(base + 1)], check=True,
                       stderr=subprocess.DEVNULL)
        self.process = None

    def start(self):
        base = int(self.registry.rsplit(":", 1)[1])
        self.process = subprocess.Popen([str(BIN / "titian-registry"), "--set", "kafka.bootstrap=" + self.bootstrap, "--set",
                                         "http.port=%d" % base], stderr=open(self.dir / "registry.log", "w"))
        wait_for(self.up, 60, "registry")
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for done in admin.create_topics([NewTopic(t, 1, 1) for t in TOPICS + ["terpadu"]]).values():
            done.result(30)
        # The schemas are the bench's own: it prints them, so that they stand in one place.
        schemas = subprocess.run([str(BENCH / "views_kafka"), "schemas"], capture_output=True, text=True, check=True).stdout
        self.ids = []
        for topic, schema in zip(TOPICS, schemas.splitlines()):
            request = urllib.request.Request("%s/subjects/%s-value/versions" % (self.registry, topic),
                                             json.dumps({"schema": schema}).encode(), {"Content-Type": "application/json"})
            self.ids.append(str(json.load(urllib.request.urlopen(request))["id"]))

    def up(self):
        try:
            return urllib.request.urlopen(self.registry + "/subjects").status == 200
        except OSError:
            return False

    def produce(self, what):
        subprocess.run([str(BENCH / "views_kafka"), self.bootstrap, str(STREAMS_PEOPLE), str(what), ",".join(self.ids)], check=True)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        subprocess.run([str(KAFKA), "stop", str(self.dir / "kafka")], check=True)


def gateway(broker):
    """(process, CPU seconds it had used when so many records were in its view, what its view holds at its end)"""
    port = free_ports(2)
    folder = broker.dir / "gateway"
    subprocess.run([str(BENCH / "views"), str(folder), "0", "full"], check=True)
    for rollup in ("per_kelurahan", "per_pekerjaan"):  # Kafka Streams has none
        (folder / "views" / (rollup + ".sql")).unlink()
    (folder / "policy.yaml").write_text("readers: {}\n")
    (folder / "access.keys").write_text("")
    config = folder / "gateway.yaml"
    config.write_text("kafka: {bootstrap: '%s'}\nhttp: {port: %d}\nops: {port: %d}\ndb: {path: %s/city.db}\n"
                      "views: {dir: %s/views}\naccess: {policy: %s, keys: %s}\ntopics:\n%s"
                      % (broker.bootstrap, port, port + 1, folder, folder, folder / "policy.yaml", folder / "access.keys",
                         "".join("  - %s\n" % t for t in TOPICS)))
    process = subprocess.Popen([str(BIN / "titian-gateway"), "--config", str(config)], stderr=open(folder / "log", "w"))

    def settled(records):
        db = None
        try:
            db = sqlite3.connect("file:%s/city.db?mode=ro" % folder, uri=True, timeout=30)
            return db.execute("SELECT (SELECT sum(next) FROM _part) = ? AND NOT EXISTS (SELECT 1 FROM _dirty) AND NOT EXISTS "
                              "(SELECT 1 FROM _view WHERE all_dirty)", (records,)).fetchone()[0] == 1
        except sqlite3.OperationalError:  # nothing there yet
            return False
        finally:
            if db:
                db.close()

    def done(records):
        wait_for(lambda: settled(records), 600, "the gateway's view")
        return cpu(process.pid)

    def end():
        process.terminate()
        process.wait()
        db = sqlite3.connect(str(folder / "city.db"))
        return " ".join(str(x) for x in db.execute(
            "SELECT count(*), sum(n_bansos), sum(n_pbb), coalesce(sum(tunggakan), 0) FROM terpadu").fetchone())
    return process, done, end


def streams(broker):
    if not (JAVA / "classes/Join.class").exists():
        subprocess.run(["mvn", "-q", "-B", "-f", str(ROOT / "tests/bench/views_streams/pom.xml"), "dependency:copy-dependencies",
                        "-DincludeScope=runtime", "-DoutputDirectory=%s" % (JAVA / "lib")], check=True)
        (JAVA / "classes").mkdir(exist_ok=True)
        subprocess.run(["javac", "-cp", "%s/*" % (JAVA / "lib"), "-d", str(JAVA / "classes"),
                        str(ROOT / "tests/bench/views_streams/Join.java")], check=True)
    process = subprocess.Popen(["java", "-XX:+UseSerialGC", "-Xmx512m", "-cp", "%s/*:%s" % (JAVA / "lib", JAVA / "classes"), "Join",
                                broker.bootstrap, str(broker.dir / "streams")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=open(broker.dir / "streams.log", "w"))

    def end():
        return process.communicate()[0].strip()
    return process, lambda records: rest(process), end


def beside_kafka_streams():
    folder = WORK / "bench-views-streams"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    broker = Broker(folder)
    got, running = {}, {}
    try:
        broker.start()
        broker.produce("load")
        rows = sum(ROWS(STREAMS_PEOPLE))
        for name, start in (("gateway", gateway), ("streams", streams)):
            running[name] = start(broker)
            got[name] = {"load": running[name][1](rows)}
            if name == "gateway":
                running[name][0].send_signal(signal.SIGSTOP)  # the other one's turn
        broker.produce(CHANGES)
        for name in ("streams", "gateway"):
            process, done, end = running[name]
            process.send_signal(signal.SIGCONT)
            got[name]["changes"] = done(rows + CHANGES) - got[name]["load"]
            got[name]["memory"] = memory(process.pid, "VmHWM")
            got[name]["view"] = end()
    finally:
        for process, _, _ in running.values():
            process.kill()
        broker.stop()
    for name in got:
        line("view_%s_load_cpu_seconds" % name, got[name]["load"], "s")
        line("view_%s_rows_per_cpu_s" % name, CHANGES / got[name]["changes"], "rows/s")
        line("view_%s_peak_mb" % name, got[name]["memory"], "MB")
    assert got["gateway"]["view"] == got["streams"]["view"], got
    line("view_vs_kafka_streams_ratio", got["streams"]["changes"] / got["gateway"]["changes"], "ratio")
    line("view_vs_kafka_streams_load_ratio", got["streams"]["load"] / got["gateway"]["load"], "ratio")
    line("view_vs_kafka_streams_memory", got["gateway"]["memory"] / got["streams"]["memory"], "ratio")
    shutil.rmtree(folder)


def main():
    if sys.argv[1:] == ["streams"]:
        return beside_kafka_streams()
    in_process("thin")
    in_process("full")
    beside_kafka_streams()


if __name__ == "__main__":
    main()
