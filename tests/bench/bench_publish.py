#!/usr/bin/env python3
"""Publishing's part of make bench, alone: records a second at 1, 10, 100 and 500 records a request (Avro's JSON), p50
and p99 at 16 and 50 connections, each without and with an Idempotency-Key; and the same records from memory by plain
librdkafka (tests/bench/raw.c), idempotent, acks=all, in the same run: publish_batch100_ratio. The same rows as REST
Proxy's clients send them, and what they cost of what they cost in our own API: rest_proxy_batch100_ratio.

A broker and a registry of its own; wrk, gateway and broker share the machine.
"""
import json
import os
import random
import re
import subprocess

from meter import SCHEMA, Topic, cpu, gateway, line, milliseconds, plain

SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))  # best of; the machine is not always quiet
POLICY = "readers: {uji: {publish: {pku.bench.kirim.v1: {}}}}\n"
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


def row(chance):
    """A recipient as dinsos has them, in Avro's JSON."""
    return {"id_bansos": "%032x" % chance.getrandbits(128), "id_subjek": {"string": "%032x" % chance.getrandbits(128)}, "nik": None,
            "no_kk": "%016d" % chance.randrange(10 ** 9), "nama": "NAMA KE %d" % chance.randrange(10 ** 6), "tgl_lahir": {"int": chance.randrange(20000)},
            "alamat": "JL. MELATI NO. %d" % chance.randrange(300), "kelurahan": "SIMPANG BARU", "kecamatan": "TAMPAN",
            "program": chance.choice(("PKH", "BPNT")), "nominal": 750000, "status": "AKTIF", "tanda": []}


def wrk(own, folder, batch, connections, keyed, schema_id=0):
    """schema_id: as REST Proxy has it, by this schema."""
    chance = random.Random(batch)
    bodies, script = folder / "bodies", folder / "publish.lua"
    def body(rows):
        return {"value_schema_id": schema_id, "records": [{"value": r} for r in rows]} if schema_id else rows
    bodies.write_text("".join(json.dumps(body([row(chance) for _ in range(batch)]), separators=(",", ":")) + "\n"
                              for _ in range(max(4, 2000 // batch))))
    kind, path = (("application/vnd.kafka.avro.v2+json", "/topics/pku.bench.kirim.v1") if schema_id else
                  ("application/vnd.apache.avro+json", "/v1/topics/pku.bench.kirim.v1/records"))
    script.write_text(LUA % (bodies, kind, own.key, "true" if keyed else "false"))
    out = subprocess.run(["wrk", "-t2", "-c%d" % connections, "-d%ds" % SECONDS, "--timeout", "20s", "--latency", "-s", str(script),
                          own.url + path], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)) * batch,
            *(milliseconds(re.search(r"^\s+%s%%\s+(\S+)" % p, out, re.M).group(1)) for p in (50, 99)))


def best(own, folder, batch, connections, keyed, rounds=1, schema_id=0):
    found = [wrk(own, folder, batch, connections, keyed, schema_id) for _ in range(rounds)]
    return max(f[0] for f in found), min(f[1] for f in found), min(f[2] for f in found)


def topics(city):
    """The id of the schema that is published with."""
    schema_id = Topic(city, "pku.bench.kirim.v1", SCHEMA).id
    Topic(city, "pku.bench.mentah.v1", SCHEMA)
    return schema_id


def main():
    with gateway("bench_publish", POLICY, topics) as (city, own, folder, schema_id):
        wrk(own, folder, 10, 16, True)  # warm
        ratios = []
        for _ in range(ROUNDS):
            ours = best(own, folder, 100, 16, False)
            theirs = plain("raw", city.bootstrap, "pku.bench.kirim.v1", "pku.bench.mentah.v1")
            ratios.append((ours[0] / theirs, ours[0], theirs))
        ratio, ours, theirs = max(ratios)
        line("publish_batch100_ratio", ratio, "of plain librdkafka (%s a round)" % ", ".join("%.2f" % r[0] for r in ratios))
        line("publish_batch100", round(ours), "records/s")
        line("publish_batch100_librdkafka", round(theirs), "records/s")
        ratios = []
        for _ in range(ROUNDS):
            before = cpu(own.process.pid)
            ours = wrk(own, folder, 100, 16, False)[0]
            between = cpu(own.process.pid)
            theirs = wrk(own, folder, 100, 16, False, schema_id)[0]
            ratios.append((theirs / ours, (between - before) / ours / ((cpu(own.process.pid) - between) / theirs)))
        line("rest_proxy_batch100_ratio", max(r[0] for r in ratios), "of our own API, records/s (%s a round; by the gateway's CPU time %s)"
             % tuple(", ".join("%.2f" % r[i] for r in ratios) for i in (0, 1)))
        for batch in (1, 10, 100, 500):
            line("rest_proxy_batch%d" % batch, round(best(own, folder, batch, 16, False, schema_id=schema_id)[0]), "records/s")
        for keyed, name in ((False, "publish"), (True, "publish_keyed")):
            for batch in (1, 10, 100, 500):
                line("%s_%d" % (name, batch), round(best(own, folder, batch, 16, keyed)[0]), "records/s")
            for connections in (16, 50):
                _, p50, p99 = best(own, folder, 1, connections, keyed)
                line("%s_p50_%d" % (name, connections), p50, "ms")
                line("%s_p99_%d" % (name, connections), p99, "ms")


main()
