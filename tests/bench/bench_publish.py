#!/usr/bin/env python3
"""Publishing's part of make bench, alone: records a second at 1, 10, 100 and 500 records a request (Avro's JSON), p50
and p99 at 16 and 50 connections, each without and with an Idempotency-Key; and the same records from memory by plain
librdkafka (tests/bench/raw.c), idempotent, acks=all, in the same run: publish_batch100_ratio. The same rows as REST
Proxy's clients send them, and what they cost of what they cost in our own API: rest_proxy_batch100_ratio.

A broker and a registry of its own; wrk, gateway and broker share the machine.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/support")]
import stage  # noqa: E402
from conftest import WORK  # noqa: E402
from own_gateway import OwnGateway, Topic  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))  # best of; the machine is not always quiet
SCHEMA = json.loads((ROOT / "schemas/avsc/dinsos/bansos.avsc").read_text())
POLICY = "readers: {uji: {publish: {pku.bench.kirim.v1: {}}}}\n"
VIEW = """/*---
name: lain
key: id
routes: {bench_lain: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM bench_lain
"""
LUA = """
local body, n = {}, 0
for line in io.lines("%s") do body[#body + 1] = line end
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init() math.randomseed(os.time() + id) ; run = tostring(math.random(1e9)) end
function request()
  n = n + 1
  local headers = {["Content-Type"]="%s", ["Authorization"]="Bearer %s"}
  if %s then headers["Idempotency-Key"] = run .. "-" .. id .. "-" .. n end
  return wrk.format("POST", nil, headers, body[n %% #body + 1])
end
"""


def line(name, value, unit):
    print("%s %s %s" % (name, ("%.3f" % value).rstrip("0").rstrip(".") if isinstance(value, float) else value, unit), flush=True)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def row(chance):
    """A recipient as dinsos has them, in Avro's JSON."""
    return {"id_bansos": "%032x" % chance.getrandbits(128), "id_subjek": {"string": "%032x" % chance.getrandbits(128)}, "nik": None,
            "no_kk": "%016d" % chance.randrange(10 ** 9), "nama": "NAMA KE %d" % chance.randrange(10 ** 6), "tgl_lahir": {"int": chance.randrange(20000)},
            "alamat": "JL. MELATI NO. %d" % chance.randrange(300), "kelurahan": "SIMPANG BARU", "kecamatan": "TAMPAN",
            "program": chance.choice(("PKH", "BPNT")), "nominal": 750000, "status": "AKTIF", "tanda": []}


def wrk(gateway, folder, batch, connections, keyed, schema_id=0):
    """schema_id: as REST Proxy has it, by this schema."""
    chance = random.Random(batch)
    bodies, script = folder / "bodies", folder / "publish.lua"
    def body(rows):
        return {"value_schema_id": schema_id, "records": [{"value": r} for r in rows]} if schema_id else rows
    bodies.write_text("".join(json.dumps(body([row(chance) for _ in range(batch)]), separators=(",", ":")) + "\n"
                              for _ in range(max(4, 2000 // batch))))
    kind, path = (("application/vnd.kafka.avro.v2+json", "/topics/pku.bench.kirim.v1") if schema_id else
                  ("application/vnd.apache.avro+json", "/v1/topics/pku.bench.kirim.v1/records"))
    script.write_text(LUA % (bodies, kind, gateway.key, "true" if keyed else "false"))
    out = subprocess.run(["wrk", "-t2", "-c%d" % connections, "-d%ds" % SECONDS, "--timeout", "20s", "--latency", "-s", str(script),
                          gateway.url + path], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)) * batch,
            *(milliseconds(re.search(r"^\s+%s%%\s+(\S+)" % p, out, re.M).group(1)) for p in (50, 99)))


def best(gateway, folder, batch, connections, keyed, rounds=1, schema_id=0):
    found = [wrk(gateway, folder, batch, connections, keyed, schema_id) for _ in range(rounds)]
    return max(f[0] for f in found), min(f[1] for f in found), min(f[2] for f in found)


def cpu(gateway):
    """Seconds of the gateway's CPU time."""
    fields = open("/proc/%d/stat" % gateway.process.pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raw(city, source, target):
    """The same records, headers and all, by plain librdkafka; records a second."""
    run = subprocess.run([str(ROOT / "build/release/bench/raw"), city.bootstrap, source, target], capture_output=True, text=True, check=True)
    return float(run.stdout)


def main():
    folder = stage.fresh(WORK / "bench_publish")
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        city = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        other = Topic(city, "pku.bench.lain.v1", {**SCHEMA, "name": "Lain"})
        schema_id = Topic(city, "pku.bench.kirim.v1", SCHEMA).id
        Topic(city, "pku.bench.mentah.v1", SCHEMA)
        gateway = OwnGateway(city, "bench_publish_gateway", [other], {"lain": VIEW}, POLICY).start()
        try:
            wrk(gateway, folder, 10, 16, True)  # warm
            ratios = []
            for _ in range(ROUNDS):
                ours = best(gateway, folder, 100, 16, False)
                theirs = raw(city, "pku.bench.kirim.v1", "pku.bench.mentah.v1")
                ratios.append((ours[0] / theirs, ours[0], theirs))
            ratio, ours, theirs = max(ratios)
            line("publish_batch100_ratio", ratio, "of plain librdkafka (%s a round)" % ", ".join("%.2f" % r[0] for r in ratios))
            line("publish_batch100", round(ours), "records/s")
            line("publish_batch100_librdkafka", round(theirs), "records/s")
            ratios = []
            for _ in range(ROUNDS):
                before = cpu(gateway)
                ours = wrk(gateway, folder, 100, 16, False)[0]
                between = cpu(gateway)
                theirs = wrk(gateway, folder, 100, 16, False, schema_id)[0]
                ratios.append((theirs / ours, (between - before) / ours / ((cpu(gateway) - between) / theirs)))
            line("rest_proxy_batch100_ratio", max(r[0] for r in ratios), "of our own API, records/s (%s a round; by the gateway's CPU time %s)"
                 % tuple(", ".join("%.2f" % r[i] for r in ratios) for i in (0, 1)))
            for batch in (1, 10, 100, 500):
                line("rest_proxy_batch%d" % batch, round(best(gateway, folder, batch, 16, False, schema_id=schema_id)[0]), "records/s")
            for keyed, name in ((False, "publish"), (True, "publish_keyed")):
                for batch in (1, 10, 100, 500):
                    line("%s_%d" % (name, batch), round(best(gateway, folder, batch, 16, keyed)[0]), "records/s")
                for connections in (16, 50):
                    _, p50, p99 = best(gateway, folder, 1, connections, keyed)
                    line("%s_p50_%d" % (name, connections), p50, "ms")
                    line("%s_p99_%d" % (name, connections), p99, "ms")
        finally:
            gateway.stop()


main()
