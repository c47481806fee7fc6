#!/usr/bin/env python3
"""What requests for records that wait cost the gateway: PARKED of them in GROUPS groups, CPU seconds a second while nothing
happens, and while one group changes again and again. A broker and a registry of its own."""
import asyncio
import itertools
import json
import os
import pathlib
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/support")]
import stage  # noqa: E402
from conftest import WORK  # noqa: E402
from own_gateway import OwnGateway, Topic  # noqa: E402

PARKED = int(os.environ.get("BENCH_PARKED", "2000"))
GROUPS = int(os.environ.get("BENCH_GROUPS", "200"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
READERS = ["uji%d" % i for i in range(4)]  # each may have a fourth of what waits
PARTITIONS = 10
NUMBER = itertools.count()
NAME = "pku.bench.tunggu.v1"
SCHEMA = {"type": "record", "name": "Tunggu", "namespace": "pku.bench", "fields": [{"name": "id", "type": "string", "x_pdp": "N"}]}
POLICY = "readers: {%s}\n" % ", ".join("%s: {topics: {%s: {clear: ['*']}}, groups: ['*']}" % (r, NAME) for r in READERS)
VIEW = """/*---
name: tunggu
key: id
routes: {bench_tunggu: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM bench_tunggu
"""


def ticks(gateway):
    fields = pathlib.Path("/proc/%d/stat" % gateway.process.pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    def __init__(self, gateway, reader):
        self.gateway, self.reader = gateway, reader

    async def open(self):
        self.input, self.output = await asyncio.open_connection("127.0.0.1", self.gateway.port)
        return self

    def send(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/vnd.kafka.v2+json\r\nContent-Length: %d\r\n" % len(data) if data else ""
        self.output.write(("%s %s HTTP/1.1\r\nHost: a\r\nX-Api-Key: %s\r\n%s\r\n" % (method, path, self.gateway.keys[self.reader], kind)).encode() + data)

    async def answer(self):
        head = (await self.input.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split()[0]) if "content-length:" in head else 0
        return int(head.split()[1]), await self.input.readexactly(length)

    async def ask(self, *what):
        self.send(*what)
        status, body = await self.answer()
        assert status < 300, (what, status, body)


async def member(gateway, reader, group, run, name=None):
    one = await Connection(gateway, reader).open()
    name = name or "n%d" % next(NUMBER)
    path = "/consumers/%s/instances/%s" % (group, name)
    await one.ask("POST", "/consumers/" + group, {"name": name, "format": "avro", "auto.offset.reset": "latest"})
    await one.ask("POST", path + "/subscription", {"topics": [NAME]})
    if run:
        await one.ask("GET", path + "/records?timeout=0")
    return one, path


async def measure(gateway, what, work):
    cpu, begun, n = ticks(gateway), time.monotonic(), 0
    while time.monotonic() - begun < SECONDS:
        await work()
        n += 1
    took = time.monotonic() - begun
    print("parked_cpu_%s %.3f CPU seconds a second (%d times in %.1f s)" % (what, (ticks(gateway) - cpu) / took, n, took), flush=True)


async def bench(gateway):
    everyone, room = [], asyncio.Semaphore(16)

    async def park(i):
        async with room:
            one, path = await member(gateway, READERS[i % GROUPS % len(READERS)], "g%d" % (i % GROUPS), False)
            one.send("GET", path + "/records?timeout=300000")
            everyone.append((one, asyncio.ensure_future(one.answer())))
    begun = time.monotonic()
    await asyncio.gather(*(park(i) for i in range(PARKED)))
    print("parked %d requests in %d groups (%.0f s to make them)" % (PARKED, GROUPS, time.monotonic() - begun), flush=True)
    await asyncio.sleep(3)
    await measure(gateway, "quiet", lambda: asyncio.sleep(1))

    async def change():
        one, path = await member(gateway, READERS[0], "g0", True, "tamu%d" % next(NUMBER))
        await one.ask("DELETE", path)
        one.output.close()
    await measure(gateway, "one_group_changes", change)
    assert not any(answer.done() for _, answer in everyone)
    for one, answer in everyone:
        answer.cancel()
        one.output.close()


def main():
    folder = stage.fresh(WORK / "bench_parked")
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        city = types.SimpleNamespace(bootstrap=bootstrap, registry=url)
        topic = Topic(city, NAME, SCHEMA, partitions=PARTITIONS)
        gateway = OwnGateway(city, "bench_parked_gateway", [topic], {"tunggu": VIEW}, POLICY, readers=READERS,
                             more="restproxy: {per_reader: 10000, threads: 16}\n").start()
        try:
            asyncio.run(bench(gateway))
        finally:
            gateway.stop()


main()
