"""Followers on a gateway of the test's own: shared readings, many readers over kill -9, parts of a view, stock clients."""
import http.client
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
import sseclient

from conftest import ROOT, wait_for
from own_gateway import OwnGateway, Topic
from test_portal import browser  # noqa: F401  (a fixture)

sys.path.insert(0, str(ROOT / "tests" / "clients"))
import clients  # noqa: E402

EVENTSOURCE = clients.Client("eventsource", "npm eventsource", ["node", "client.js"], clients.NPM, ["node", "npm"])

READERS = int(os.environ.get("SOAK_READERS", "300"))
SLOW = int(os.environ.get("SOAK_SLOW", "30"))
KEYS = int(os.environ.get("SOAK_KEYS", "300"))
KILLS = int(os.environ.get("SOAK_KILLS", "2"))
SECONDS = int(os.environ.get("SOAK_SECONDS", "180"))  # at most

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
def topics(apart):
    return [Topic(apart, "pku.uji.ikut.v1", SCHEMA), Topic(apart, "pku.uji.lain.v1", dict(SCHEMA, name="Lain"))]


@pytest.fixture(scope="module")
def gateway(apart, topics):
    own = OwnGateway(apart, "following", topics, {n: VIEW % (n, n, n) for n in ("ikut", "lain")}, POLICY,
                     readers=("uji", "t1"), connections=12000, more="feeds: {slow: 3}\n")
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
    readers = Readers(client, gateway, "/v1/views/ikut/changes?after=now", 1000, 0, 40, SECONDS)
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


# --- parts of a view -------------------------------------------------------------------------------------

class Stream:
    """An SSE stream in a thread, read by sseclient-py: (event, cursor, data), in order."""

    open = []

    def __init__(self, gateway, path, key=None, last=None):
        headers = {"Authorization": "Bearer " + (key or gateway.key), "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        self.answer = urllib.request.urlopen(urllib.request.Request(gateway.url + path, headers=headers), timeout=60)
        self.events, self.ended = [], threading.Event()
        Stream.open.append(self)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for e in sseclient.SSEClient(self.answer).events():
                self.events.append((e.event, e.id, json.loads(e.data)))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        self.ended.set()

    @classmethod
    def close_all(cls):
        while cls.open:
            stream = cls.open.pop()
            if stream.answer.fp and not stream.ended.is_set():  # not ended by the gateway
                stream.answer.fp.raw._sock.shutdown(socket.SHUT_RDWR)

    def told(self):
        return [(e, d["key"]) for e, _, d in list(self.events) if e in ("upsert", "delete")]

    def current(self):
        return self.events and self.events[-1][0] == "up-to-date"


def put_rows(gateway, topic, rows):
    """Rows {key: (n, kel) or None}, and the wait until the view has them."""
    for key, value in rows.items():
        topic.put(key, None if value is None else row(key, *value))
    topic.flush()

    def there():
        now = {r["id"]: r for r in gateway.get("/v1/views/ikut?limit=10000")}
        return all((now.get(k) or {}).get("n") == (v and v[0]) and (now.get(k) or {}).get("kel") == (v and v[1])
                   for k, v in rows.items())
    wait_for(there, 20, "the rows")


@pytest.fixture
def parts(gateway, topics):
    put_rows(gateway, topics[0], {"a": (1, "t1"), "b": (1, "t2"), "c": (1, None)})
    yield
    Stream.close_all()
    put_rows(gateway, topics[0], {k: None for k in "abcdefgh"})
    wait_for(lambda: gateway.metric("titian_feed_clients") == 0, 20, "nobody to follow any more")


def test_a_row_that_leaves_the_part_is_withdrawn_once_and_others_are_never_told(gateway, topics, parts):
    by_grant = Stream(gateway, "/v1/views/ikut/changes", key=gateway.keys["t1"])
    by_wish = Stream(gateway, "/v1/views/ikut/changes?kel=in.(t1,t3)")
    wait_for(lambda: by_grant.current() and by_wish.current(), 20, "snapshots")
    assert by_grant.told() == by_wish.told() == [("upsert", "a")]
    put_rows(gateway, topics[0], {"b": (2, "t1")})  # comes
    put_rows(gateway, topics[0], {"a": (3, "t3")})  # leaves the one, moves in the other
    put_rows(gateway, topics[0], {"a": (4, "t2")})  # leaves both
    put_rows(gateway, topics[0], {"c": (5, "t2"), "a": (6, "t2")})  # nobody's
    put_rows(gateway, topics[0], {"b": None, "d": (1, "t1")})
    want = {("upsert", "d")}
    wait_for(lambda: want <= set(by_grant.told()) and want <= set(by_wish.told()), 20, "the last change")
    assert [k for e, k in by_grant.told() if e == "delete"] == ["a", "b"]
    assert [k for e, k in by_wish.told() if e == "delete"] == ["a", "b"]
    assert {k for _, k in by_grant.told() + by_wish.told()} == {"a", "b", "d"}
    # A slow one that comes back is told the same in one go.
    start = by_grant.events[0][1]
    late = gateway.get("/v1/views/ikut/changes?after=" + start, key=gateway.keys["t1"])
    assert sorted((c["event"], c["key"]) for c in late["changes"]) == [("delete", "a"), ("delete", "b"), ("upsert", "d")]


def test_a_grant_of_rows_holds_on_every_way(gateway, topics, parts):
    key = gateway.keys["t1"]
    assert [r["id"] for r in gateway.get("/v1/views/ikut", key=key)] == ["a"]
    assert gateway.request("/v1/views/ikut/a", key=key)[0] == 200
    for missing in ("b", "c", "nobody"):
        assert gateway.request("/v1/views/ikut/" + missing, key=key)[0] == 404
    _, headers, _ = gateway.request("/v1/views/ikut", key=key, headers={"Prefer": "count=exact"})
    assert headers["Content-Range"].endswith("/1")
    for accept in ("application/x-ndjson", "text/csv"):
        status, _, body = gateway.request("/v1/views/ikut", accept=accept, key=key)
        assert status == 200 and b"t1" in body and b"t2" not in body
    found = gateway.request("/v1/views/ikut/lookup", key=key, method="POST", body=b'{"id":["a","b"]}',
                            headers={"Content-Type": "application/json"})
    assert [r and r["id"] for r in json.loads(found[2])] == ["a", None]
    assert [v["rows"] for v in gateway.get("/v1/views", key=key) if v["name"] == "ikut"] == [1]
    assert gateway.request("/v1/views/ikut?kel=eq.t2", key=key)[2] == b"[]"
    lines = gateway.request("/v1/views/ikut/changes?until=now", accept="application/x-ndjson", key=key)[2].splitlines()
    assert [json.loads(l).get("key") for l in lines] == ["a", None]


def test_followers_share_only_what_is_the_same(gateway, topics, parts):
    asked = ["", "&select=id,n", "&select=id,jumlah:n", "&kel=eq.t5", "&kel=in.(t5,t6)"]
    streams = [Stream(gateway, "/v1/views/ikut/changes?after=now" + q) for q in asked]
    streams.append(Stream(gateway, "/v1/views/ikut/changes?after=now", key=gateway.keys["t1"]))
    wait_for(lambda: all(s.current() for s in streams), 20, "all to follow")
    put_rows(gateway, topics[0], {"e": (7, "t5")})
    put_rows(gateway, topics[0], {"g": (8, "t1")})
    wait_for(lambda: all(s.told() for s in streams) and all(("upsert", "g") in s.told() for s in streams[:3]), 20, "rows")
    rows = [[d["row"] for e, _, d in s.events if e == "upsert"] for s in streams]
    whole = [row("e", 7, "t5"), row("g", 8, "t1")]
    assert rows[0] == whole and rows[1] == [{"id": "e", "n": 7}, {"id": "g", "n": 8}]
    assert rows[2] == [{"id": "e", "jumlah": 7}, {"id": "g", "jumlah": 8}]
    assert rows[3] == rows[4] == whole[:1] and rows[5] == [dict(whole[1], nama="\u2022\u2022\u2022")]


def test_a_part_that_cannot_be_followed_is_refused(gateway):
    for query in ("kel=gt.t1", "nama=eq.x", "kel=in.t1"):
        assert gateway.request("/v1/views/ikut/changes?" + query)[0] == 400, query


# --- several views, polls, ends --------------------------------------------------------------------------

def test_one_stream_carries_several_views_with_one_cursor(gateway, topics, parts):
    both = Stream(gateway, "/v1/changes?views=lain,ikut&after=now")
    wait_for(both.current, 20, "up to date")
    topics[1].put("x", row("x"))
    topics[1].flush()
    wait_for(lambda: ("upsert", "x") in both.told(), 20, "the other view's")
    put_rows(gateway, topics[0], {"e": (1, "t1")})
    wait_for(lambda: ("upsert", "e") in both.told(), 20, "the one view's")
    views = [(d["view"], d["key"]) for e, _, d in both.events if e == "upsert"]
    assert views == [("lain", "x"), ("ikut", "e")]
    after_x = next(c for e, c, d in both.events if e == "upsert" and d["key"] == "x")
    again = gateway.get("/v1/changes?views=ikut,lain&after=" + after_x)
    assert [(c["view"], c["key"]) for c in again["changes"]] == [("ikut", "e")] and again["up_to_date"]
    assert gateway.request("/v1/views/ikut/changes?after=" + after_x)[0] == 400  # of these views, not of one
    assert gateway.request("/v1/changes?views=ikut,nothing")[0] == 404
    assert gateway.request("/v1/changes")[0] == 400
    # The snapshot of both, by polls: everything once.
    seen, after = [], "0"
    while True:
        page = gateway.get("/v1/changes?views=ikut,lain&after=" + after)
        seen += [(c["view"], c["key"]) for c in page["changes"]]
        after = page["cursor"]
        if page["up_to_date"]:
            break
    want = [("ikut", r["id"]) for r in gateway.get("/v1/views/ikut?limit=10000")]
    want += [("lain", r["id"]) for r in gateway.get("/v1/views/lain?limit=10000")]
    assert sorted(seen) == sorted(want)


def test_a_hundred_polls_that_wait_cost_one_reading(gateway, topics, parts):
    cursor = gateway.get("/v1/views/ikut/changes?after=now")["cursor"]
    clients_before = gateway.metric("titian_feed_clients")
    answers = []

    def poll():
        answers.append(gateway.get("/v1/views/ikut/changes?wait=30&after=" + cursor))

    threads = [threading.Thread(target=poll) for _ in range(100)]
    for t in threads:
        t.start()
    wait_for(lambda: gateway.metric("titian_feed_clients") >= clients_before + 100, 20, "the polls")
    before = [gateway.metric('titian_feed_log_reads_total{for="%s"}' % w) for w in ("all", "one")]
    topics[0].put("f", row("f"))
    topics[0].flush()
    for t in threads:
        t.join(90)
    after = [gateway.metric('titian_feed_log_reads_total{for="%s"}' % w) for w in ("all", "one")]
    assert [c["key"] for a in answers for c in a["changes"]] == ["f"] * 100 and len(set(map(str, answers))) == 1
    assert after[0] - before[0] == 1 and after[1] == before[1]


def test_a_revoked_key_ends_its_streams(gateway):
    gateway.keys["t1"], old = gateway.new_key("t1"), gateway.keys["t1"]
    gateway.hangup()
    fresh = Stream(gateway, "/v1/views/ikut/changes", key=gateway.keys["t1"]) if wait_for(
        lambda: gateway.request("/v1/whoami", key=gateway.keys["t1"])[0] == 200, 20, "the new key") else None
    stale = Stream(gateway, "/v1/views/ikut/changes", key=old)
    wait_for(lambda: fresh.current() and stale.current(), 20, "both")
    file = gateway.dir / "access.keys"
    file.write_text("".join(l for l in file.read_text().splitlines(True) if " %s " % old[3:11] not in l))
    gateway.hangup()
    assert stale.ended.wait(60) and not fresh.ended.is_set()
    Stream.close_all()


def test_an_sse_stream_says_how_to_come_back_and_is_not_buffered(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as s:
        s.sendall(("GET /v1/views/ikut/changes?after=now HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
                   "Authorization: Bearer %s\r\n\r\n" % gateway.key).encode())
        said = b""
        while b"up-to-date" not in said:
            said += s.recv(4096)
    head = said.split(b"\r\n\r\n")[0].decode().lower()
    assert "x-accel-buffering: no" in head and "cache-control: no-store" in head and b"retry: 3000\n" in said


def test_a_follower_that_takes_nothing_is_hung_up_and_goes_on_by_its_cursor(gateway, topics):
    cuts = gateway.metric("titian_feed_cuts_total")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", gateway.port))
        s.sendall(("GET /v1/views/lain/changes?after=now HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
                   "Authorization: Bearer %s\r\n\r\n" % gateway.key).encode())
        said = b""
        while b"up-to-date" not in said:
            said += s.recv(4096)
        cursor = said.rsplit(b"id: ", 1)[1].split(b"\n")[0].decode()
        for i in range(600):  # more than any socket's buffers
            topics[1].put("s%d" % i, dict(row("s%d" % i), nama="x" * 20000))
        topics[1].flush()
        wait_for(lambda: gateway.metric("titian_feed_cuts_total") > cuts, 40, "the cut")
    rest, after = [], cursor
    while True:
        page = gateway.get("/v1/views/lain/changes?after=" + after)
        rest += [c["key"] for c in page["changes"]]
        after = page["cursor"]
        if page["up_to_date"]:
            break
    assert sorted(rest) == sorted("s%d" % i for i in range(600))


# --- other people's clients ------------------------------------------------------------------------------

def test_npm_eventsource_comes_back_by_itself(gateway, topics, parts):
    if EVENTSOURCE.missing():
        pytest.skip("not on this machine: " + ", ".join(EVENTSOURCE.missing()))
    EVENTSOURCE.prepare()
    env = dict(os.environ, URL=gateway.url + "/v1/views/ikut/changes?after=now", KEY=gateway.key, N="4")
    with subprocess.Popen(EVENTSOURCE.command, cwd=EVENTSOURCE.home, env=env, stdout=subprocess.PIPE, text=True) as client:
        try:
            assert client.stdout.readline() == "open\n"
            beside = Stream(gateway, "/v1/views/ikut/changes?after=now")  # told by the same reading as the client
            wait_for(beside.current, 20, "up to date")
            put_rows(gateway, topics[0], {"e": (1, "t1"), "a": None})
            wait_for(lambda: len(beside.told()) == 2, 20, "both to be told: what is read later is told in one go")
            gateway.kill()
            gateway.start()
            put_rows(gateway, topics[0], {"g": (1, "t1"), "e": (2, "t1")})
            assert select.select([client.stdout], [], [], 90)[0], "the client is not done"
            said = json.loads(client.stdout.readline())
        finally:
            client.kill()
    assert sorted(e[:2] for e in said["told"][:2]) == [["delete", "a"], ["upsert", "e"]]
    assert sorted(e[:2] for e in said["told"][2:]) == [["upsert", "e"], ["upsert", "g"]]


def test_a_browser_follows_with_a_ticket(gateway, topics, parts, browser):  # noqa: F811
    browser.get(gateway.url + "/")
    browser.execute_script("""
        window.told = []
        fetch('/v1/tickets', {method: 'POST', headers: {Authorization: 'Bearer ' + arguments[0]}}).then(r => r.json())
            .then(t => {
                const s = window.source = new EventSource('/v1/views/ikut/changes?after=now&ticket=' + t.ticket)
                for (const n of ['upsert', 'delete', 'up-to-date'])
                    s.addEventListener(n, e => window.told.push([n, JSON.parse(e.data).key || null, !!e.lastEventId]))
            })""", gateway.key)
    told = lambda: browser.execute_script("return window.told")  # noqa: E731
    wait_for(told, 20, "up to date")
    put_rows(gateway, topics[0], {"h": (1, "t1")})
    wait_for(lambda: ["upsert", "h", True] in told(), 20, "the change")
    put_rows(gateway, topics[0], {"h": None})
    wait_for(lambda: ["delete", "h", True] in told(), 20, "the removal")
    browser.execute_script("window.source.close()")
