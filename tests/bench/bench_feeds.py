#!/usr/bin/env python3
"""make bench, feeds: from a producer's call to the bytes at an SSE client, and memory a reader.

A broker, a registry and a gateway of its own; one partition, one view of one table. Reference, in the same run: a plain
Confluent consumer of the topic, which cannot be faster than the broker lets it. The clients are other processes; all
read the same monotonic clock.
"""
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import types

from confluent_kafka import Consumer, TopicPartition

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import stage  # noqa: E402
from conftest import ROOT, WORK, wait_for  # noqa: E402
from own_gateway import OwnGateway, Topic  # noqa: E402
from test_following import POLICY, SCHEMA, VIEW, row  # noqa: E402

SECONDS = int(os.environ.get("BENCH_FEED_SECONDS", "20"))
WARM = 5  # seconds before those that count: a broker that has just started is slow
RATE = 1000
READERS = int(os.environ.get("BENCH_FEED_READERS", "5000"))


def line(name, value, unit):
    print("%s %.1f %s" % (name, value, unit), flush=True)


def follow(port, key, count, pipe):
    """Arrival of k0, k1, ...: seconds of the monotonic clock."""
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(("GET /v1/views/ikut/changes?after=now HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
               "Authorization: Bearer %s\r\n\r\n" % key).encode())
    arrived, rest, told = {}, b"", False
    while len(arrived) < count:
        data = s.recv(1 << 20)
        now = time.monotonic()
        assert data, "the gateway hung up"
        if not told and b"up-to-date" in rest + data:
            told = True
            pipe.send("ready")
        data = rest + data
        for m in re.finditer(rb'"key":"k(\d+)"', data):
            arrived.setdefault(int(m.group(1)), now)
        rest = data[-40:]
    pipe.send(arrived)


def consume(bootstrap, topic, count, pipe):
    """The same, by a plain consumer."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    arrived = {}
    pipe.send("ready")
    while len(arrived) < count:
        message = consumer.poll(1)  # consume() of many would wait for them
        if message and not message.error():
            arrived[int(message.key()[1:])] = time.monotonic()
    pipe.send(arrived)


def started(target, *arguments):
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=target, args=(*arguments, theirs), daemon=True).start()
    assert ours.recv() == "ready"
    return ours


def latency(gateway, topic):
    count = RATE * (WARM + SECONDS)
    clients = {"sse": started(follow, gateway.port, gateway.key, count),
               "consumer": started(consume, topic.city.bootstrap, topic.name, count)}
    sent, begin = [], time.monotonic()
    for i in range(count):
        due = begin + i / RATE
        while time.monotonic() < due:
            topic.producer.poll(0.0005)
        sent.append(time.monotonic())
        topic.put("k%d" % i, row("k%d" % i, i))
    topic.flush()
    for name, pipe in clients.items():
        assert pipe.poll(60), "the %s did not get it all" % name
        arrived = pipe.recv()
        took = sorted((arrived[i] - sent[i]) * 1000 for i in range(RATE * WARM, count))
        line("publish_to_%s_p50_ms" % name, took[len(took) // 2], "ms")
        line("publish_to_%s_p99_ms" % name, took[len(took) * 99 // 100], "ms")
    line("publish_to_sse_rate", count / (sent[-1] - sent[0]), "records/s")


def memory(gateway, folder):
    program = os.path.join(folder, "readers")
    subprocess.run(["gcc", "-O2", "-std=gnu17", "-D_GNU_SOURCE", "-o", program, str(ROOT / "tests/soak/readers.c")], check=True)
    before = gateway.rss_kb()
    client = subprocess.Popen([program, str(gateway.port), "/v1/views/lain/changes?after=now", str(gateway.dir / "key"),
                               str(READERS), "0", "1", "600"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "ready\n"
    wait_for(lambda: gateway.metric("titian_feed_clients") >= READERS, 30, "the readers")
    line("sse_memory_per_reader", (gateway.rss_kb() - before) / READERS, "KB")
    client.kill()
    client.wait()


def main():
    (WORK / "bench_feeds").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK / "bench_feeds") as folder, stage.kafka(type(WORK)(folder)) as bootstrap, \
            stage.registry(type(WORK)(folder), bootstrap) as registry:
        city = types.SimpleNamespace(bootstrap=bootstrap, registry=registry)
        topics = [Topic(city, "pku.uji.ikut.v1", SCHEMA), Topic(city, "pku.uji.lain.v1", dict(SCHEMA, name="Lain"))]
        gateway = OwnGateway(city, "bench_feeds/gateway", topics, {n: VIEW % (n, n, n) for n in ("ikut", "lain")}, POLICY,
                             connections=READERS + 1000)
        gateway.start()
        try:
            memory(gateway, folder)
            latency(gateway, topics[0])
        finally:
            gateway.stop()


if __name__ == "__main__":
    main()
