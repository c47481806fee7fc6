#!/usr/bin/env python3
"""The registry's part of make bench, alone: reads and writes at 1, 32 and 256 connections, each beside a bare
libmicrohttpd in the same run; a cold start with 10,000 and 100,000 schemas.

A broker of its own; every record is written with acks=all.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.request

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from conftest import WORK, free_ports, wait_for  # noqa: E402
from meter import line, milliseconds  # noqa: E402

BENCH = ROOT / "build/release/bench"
KAFKA = ROOT / "deploy/kafka/kafka.sh"
CONNECTIONS = (1, 32, 256)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))  # best of; the machine is not always quiet
SUBJECTS = 1000

# One schema of the city's size: a record of ten fields. %d makes it another.
FIELDS = [{"name": "f%d" % i, "type": t, "default": d, "doc": "what it holds"} for i, (t, d) in enumerate(
    [("string", ""), ("int", 0), ("long", 0), ("double", 0.5), ("boolean", False)] * 2)]

LUA = """
local seed, n = %(seed)d, 0
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function request()
  n = n + 1
  local subject = string.format("/subjects/%(prefix)s-%%d/versions", (n * 2 + id) %% %(subjects)d)
  local body = %(body)s
  return wrk.format("POST", subject, {["Content-Type"]="application/vnd.schemaregistry.v1+json"}, body)
end
"""


def schema(name):
    return json.dumps({"type": "record", "name": name, "namespace": "bench", "fields": FIELDS}, separators=(",", ":"))


def wrk(url, connections, script=None, seconds=3):
    """(requests per second, p50, p99 in ms); no answer may be an error."""
    command = ["wrk", "-t%d" % min(2, connections), "-c%d" % connections, "-d%ds" % seconds, "--latency", url]
    if script:
        command[1:1] = ["-s", str(script)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            *(milliseconds(re.search(r"^\s+%s%%\s+(\S+)" % p, out, re.M).group(1)) for p in (50, 99)))


def better(a, b):
    """The best of each figure."""
    return b if a is None else (max(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]))


class Registry:
    def __init__(self, bootstrap, topic, folder):
        self.port = free_ports(1)
        self.url = "http://127.0.0.1:%d" % self.port
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [str(ROOT / "build/release/bin/titian-registry"), "--set", "kafka.bootstrap=" + bootstrap,
             "--set", "registry.topic=" + topic, "--set", "http.port=%d" % self.port], stderr=open(folder / "registry.log", "a"))
        wait_for(self.ready, 120, "the registry")
        self.took = time.monotonic() - self.began

    def ready(self):
        try:
            return self.ask("/readyz") is not None
        except OSError:
            return False

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body is not None else None,
                                         {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def peak_mb(self):
        text = pathlib.Path("/proc/%d/status" % self.process.pid).read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def reads(registry, folder):
    first = registry.ask("/subjects/bench-0/versions", {"schema": schema("R0")})
    for i in range(1, SUBJECTS):
        registry.ask("/subjects/bench-%d/versions" % i, {"schema": schema("R%d" % i)})
    known = folder / "known.lua"
    known.write_text(LUA % {"seed": 0, "prefix": "bench", "subjects": 1, "body": json.dumps(json.dumps({"schema": schema("R0")}))})
    port = free_ports(1)
    hello = subprocess.Popen([str(BENCH / "http_hello"), "bare", str(port)], stdin=subprocess.PIPE)
    try:
        wait_for(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:%d/" % port]).returncode == 0, 10, "hello")
        cases = [("hello", "http://127.0.0.1:%d/" % port, None),
                 ("registry_get_id", registry.url + "/schemas/ids/%d" % first["id"], None),
                 ("registry_get_latest", registry.url + "/subjects/bench-7/versions/latest", None),
                 ("registry_post_known", registry.url, known)]
        for connections in CONNECTIONS:
            best = {}
            for _ in range(ROUNDS):
                for name, url, script in cases:
                    best[name] = better(best.get(name), wrk(url, connections, script))
            for name, (rate, p50, p99) in best.items():
                line("%s_c%d_per_s" % (name, connections), rate, "1/s")
                line("%s_c%d_p50" % (name, connections), p50, "ms")
                line("%s_c%d_p99" % (name, connections), p99, "ms")
            if connections == 32:
                line("registry_get_ratio", best["registry_get_id"][0] / best["hello"][0], "ratio")
                line("registry_get_latest_ratio", best["registry_get_latest"][0] / best["hello"][0], "ratio")
                line("registry_get_p99", best["registry_get_id"][2], "ms")
    finally:
        hello.terminate()
        hello.wait()


def writes(registry, folder):
    """Every request a version that was not there: many subjects, each getting one after another."""
    registry.ask("/config", {"compatibility": "BACKWARD"}, "PUT")
    text = json.dumps(json.dumps({"schema": schema("R").replace('"f0"', '"g@"')}))
    body = text.replace("@", '" .. string.format("%d_%d_%d", seed, id, n) .. "')
    best = 0.0
    for connections in CONNECTIONS:
        found = None
        for i in range(ROUNDS):
            script = folder / "new.lua"
            script.write_text(LUA % {"seed": connections * 10 + i, "prefix": "new", "subjects": SUBJECTS, "body": body})
            found = better(found, wrk(registry.url, connections, script))
        rate, p50, p99 = found
        line("registry_new_versions_c%d_per_s" % connections, rate, "1/s")
        line("registry_new_versions_c%d_p50" % connections, p50, "ms")
        line("registry_new_versions_c%d_p99" % connections, p99, "ms")
        best = max(best, rate)
    line("registry_new_versions_per_s", best, "1/s")
    line("registry_rss_mb", registry.peak_mb(), "MB")


def fill(bootstrap, topic, n):
    """n schemas in Confluent's records, ten versions a subject."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])[topic].result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "compression.type": "lz4", "linger.ms": 20,
                         "queue.buffering.max.messages": 200000})
    for i in range(n):
        subject, version = "subject-%d-value" % (i // 10), i % 10 + 1
        producer.produce(topic, partition=0, key='{"keytype":"SCHEMA","subject":"%s","version":%d,"magic":1}' % (subject, version),
                         value=json.dumps({"subject": subject, "version": version, "id": i + 1, "schema": schema("R%d" % i),
                                           "deleted": False}, separators=(",", ":")))
        if i % 1000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0


def replay(bootstrap, folder, n):
    topic = "_schemas_%d" % n
    fill(bootstrap, topic, n)
    took, peak = [], []
    for _ in range(ROUNDS):
        registry = Registry(bootstrap, topic, folder)
        assert json.loads(registry.ask("/schemas/ids/%d" % n)["schema"])["name"] == "R%d" % (n - 1)
        took.append(registry.took)
        peak.append(registry.peak_mb())
        registry.stop()
    line("registry_replay_%dk_seconds" % (n // 1000), min(took), "s")
    line("registry_replay_%dk_mb" % (n // 1000), max(peak), "MB")


def main():
    folder = WORK / "bench-registry"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = free_ports(2)
    bootstrap = "127.0.0.1:%d" % port
    subprocess.run([str(KAFKA), "start", str(folder / "kafka"), str(port), str(port + 1)], check=True, capture_output=True)
    try:
        registry = Registry(bootstrap, "_schemas", folder)
        try:
            reads(registry, folder)
            writes(registry, folder)
        finally:
            registry.stop()
        for n in (10_000, 100_000):
            replay(bootstrap, folder, n)
    finally:
        subprocess.run([str(KAFKA), "kill", str(folder / "kafka")], capture_output=True)


if __name__ == "__main__":
    main()
