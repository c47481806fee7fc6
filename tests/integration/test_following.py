"""Followers on a gateway of the test's own: shared readings, many readers over kill -9, parts of a view, stock clients."""
import json
import os
import re
import select
import shutil
import subprocess
import threading
import time
import urllib.request

import pytest
import sseclient

from conftest import ROOT, WORK, wait_for
from own_gateway import OwnGateway, Topic

READERS = int(os.environ.get("SOAK_READERS", "300"))
SLOW = int(os.environ.get("SOAK_SLOW", "30"))
KEYS = int(os.environ.get("SOAK_KEYS", "300"))
KILLS = int(os.environ.get("SOAK_KILLS", "2"))
SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))

SCHEMA = {"type": "record", "name": "Ikut", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string"}, {"name": "kel", "type": ["null", "string"], "default": None},
                     {"name": "nama", "type": "string"}, {"name": "n", "type": "int"}]}
VIEW = """/*---
name: %s
key: id
scope: [kel]
routes: {uji_%s: _key}
columns:
  id: {type: text, pdp: P}
  kel: {type: text, pdp: N}
  nama: {type: text, pdp: U}
  n: {type: int, pdp: N}
---*/
SELECT _key AS id, kel, nama, n FROM uji_%s
"""
POLICY = """readers:
  uji:
    status: true
    streams: 20000
    views:
      "*": {clear: ["*"]}
  t1:
    views:
      ikut: {rows: {kel: [t1]}}
      lain: {}
"""


@pytest.fixture(scope="module")
def topics(sample):
    return [Topic(sample, "pku.uji.ikut.v1", SCHEMA), Topic(sample, "pku.uji.lain.v1", dict(SCHEMA, name="Lain"))]


@pytest.fixture(scope="module")
def gateway(sample, topics):
    own = OwnGateway(sample, "following", topics, {n: VIEW % (n, n, n) for n in ("ikut", "lain")}, POLICY,
                     readers=("uji", "t1"), connections=12000)
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    out = tmp_path_factory.mktemp("soak") / "readers"
    subprocess.run(["gcc", "-O2", "-std=gnu17", "-D_GNU_SOURCE", "-o", str(out), str(ROOT / "tests/soak/readers.c")],
                   check=True)
    return out


def row(key, n=0, kel=None):
    return {"id": key, "kel": kel, "nama": "N" + key, "n": n}


class Readers:
    """The program of tests/soak/readers.c."""

    def __init__(self, client, gateway, path, readers, slow, keys, seconds):
        self.process = subprocess.Popen([str(client), str(gateway.port), path, str(gateway.dir / "key"), str(readers),
                                         str(slow), str(keys), str(seconds)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert select.select([self.process.stdout], [], [], seconds)[0], "readers are not ready"
        assert self.process.stdout.readline() == "ready\n"

    def drain(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        out = self.process.communicate(timeout=SECONDS + 60)[0]
        words = out.split()
        return self.process.returncode, {k: int(v) for k, v in zip(words[::2], words[1::2])}


def test_a_thousand_followers_cost_one_reading_a_change(gateway, topics, client):
    readers = Readers(client, gateway, "/v1/views/ikut/changes?after=now", 1000, 0, 40, 60)
    try:
        shared, own = (gateway.metric('titian_feed_log_reads_total{for="%s"}' % w) for w in ("all", "one"))
        for i in range(40):
            topics[0].put("k%d" % i, row("k%d" % i))
            topics[0].flush()
            wait_for(lambda: gateway.metric('titian_view_rows{view="ikut"}') > i, 20, "the change")
    finally:
        code, figures = readers.end()
    assert code == 0, figures
    assert gateway.metric('titian_feed_log_reads_total{for="one"}') == own
    assert gateway.metric('titian_feed_log_reads_total{for="all"}') - shared <= 40
    for i in range(40):
        topics[0].put("k%d" % i)
    topics[0].flush()
    wait_for(lambda: gateway.metric('titian_view_rows{view="ikut"}') == 0, 20, "an empty view")


def test_no_reader_misses_or_repeats_a_change_over_kills(gateway, topics, client):
    before = gateway.rss_kb()
    readers = Readers(client, gateway, "/v1/views/lain/changes?after=now", READERS, SLOW, KEYS, SECONDS)
    each = (gateway.rss_kb() - before) / READERS
    most = 0
    try:
        for i in range(KEYS):
            topics[1].put("k%d" % i, row("k%d" % i))
            if i % 10 == 9:
                topics[1].flush()
                time.sleep(0.02)  # a rate, not a wait: some hundred changes a second
            if (i + 1) % (KEYS // (KILLS + 1)) == 0 and i + 1 < KEYS:
                most = max(most, (gateway.rss_kb() - before) / READERS)
                gateway.kill()
                gateway.start()
        topics[1].flush()
        most = max(most, (gateway.rss_kb() - before) / READERS)
        readers.drain()
    finally:
        code, figures = readers.end()
    print("\n%s; KB a reader: %.1f parked, %.1f at most while %d changes came" % (figures, each, most, KEYS))
    assert code == 0, figures
    assert figures["complete"] == READERS and figures["repeated"] == 0
    if READERS >= 5000:
        assert each <= 25 and most <= 25
