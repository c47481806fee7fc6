"""The HTTP intake and its spool: what was answered 202 is on the topic, once and in order, whatever happened in between. The
topic is read by Confluent's consumer and fastavro; what was posted is known to the senders of the test."""
import http.client
import json
import os
import random
import shutil
import socket
import time

import pytest
from confluent_kafka.admin import AdminClient

from conftest import wait_for
from intake_stage import Intake, Sender
from namespaces import Cable
from own_adapter import BIN


def test_every_shape_of_body_becomes_rows_and_what_is_wrong_is_refused_whole(apart):
    own = Intake(apart, "ponbentuk").begin()
    try:
        want = []

        def good(body, *rows, type="application/json", headers=()):
            status, _, receipt = own.post("ukur", body, type=type, headers=headers)
            assert status == 202 and receipt["count"] == len(rows) and len(receipt["id"]) == 32, receipt
            want.extend(rows)
        good({"id": "a1", "nilai": 1}, ("a1", 1, None))
        good(b'[\n {"id": "a2",\n  "nilai": 2, "teks": "dua\\nbaris"},\n {"id": "a3"}]', ("a2", 2, "dua\nbaris"), ("a3", None, None))
        good(b'{"id":"b1","teks":"\xc3\xa9"}\n\r\n{"id":"b2"}', ("b1", None, "\u00e9"), ("b2", None, None), type="application/x-ndjson")
        good(b'id;nilai;teks\r\nc1;7;"a;""b"""\r\nc2;;x,y\r\n', ("c1", 7, 'a;"b"'), ("c2", None, "x,y"), type="text/csv; charset=utf-8")
        event = {"specversion": "1.0", "id": "e1", "source": "/uji", "type": "ukur", "data": {"id": "d1", "nilai": 9}}
        good(event, ("d1", 9, None), type="application/cloudevents+json")
        good([dict(event, data={"id": "d4"}), dict(event, data={"id": "d2"})], ("d4", None, None), ("d2", None, None), type="application/cloudevents-batch+json")
        good({"id": "d3"}, ("d3", None, None), headers={"ce-specversion": "1.0", "ce-id": "9", "ce-source": "/uji", "ce-type": "ukur"})

        def bad(want_status, code, body, part="", type="application/json", headers=(), **more):
            status, _, said = own.post("ukur", body, type=type, headers=headers, **more)
            assert (status, said["code"]) == (want_status, code) and part in json.dumps(said), (status, said)
        bad(400, "body-invalid", b'[{"id": "x1"},\n{"id": }]', "line 2")
        bad(400, "body-invalid", b'[{"id": "x1"}, 3]', "line 1")
        bad(400, "body-invalid", b'{"id": "x1"}\n\n{"id"', "line 3", type="application/x-ndjson")
        bad(400, "body-invalid", b"id,nilai\nx1,1\nx2\n", "line 3", type="text/csv")
        bad(400, "body-invalid", b"id,nilai\nx1,\xff\n", "line 2", type="text/csv")
        bad(400, "body-invalid", b"[]")
        bad(400, "body-invalid", b"")
        bad(400, "body-invalid", dict(event, specversion="0.3"), "specversion", type="application/cloudevents+json")
        bad(415, "type-unknown", b"<a/>", type="application/xml")
        bad(400, "idempotency-invalid", {"id": "x"}, key="1471080204650003")
        bad(401, "unauthorized", {"id": "x"}, token="lain")
        assert own.post("ukur", b"[" + b" " * 2000000 + b"]")[0] == 413
        assert own.ask("POST", "/v1/feeds/lain", b"{}", {"Content-Type": "application/json"})[0] == 403
        wait_for(lambda: len(own.values("ukur")) >= len(want), 20, "the rows")
        assert own.values("ukur") == want

        # What only the mapping can tell goes to quarantine, with the record's number in its segment as its line.
        assert own.post("ukur", [{"id": "q1"}, {"id": "q2", "nilai": "banyak"}, {"nilai": 1}])[0] == 202
        wait_for(lambda: len(own.records("karantina")) == 2, 20, "the refused rows")
        lines = {r.value["kelas"]: r.value["baris"] for r in own.records("karantina")}
        assert lines == {"nilai_salah": len(want) + 2, "tanpa_id": len(want) + 3}
        assert own.ask("GET", "/healthz")[0] == 200
        assert own.ask("GET", "/metrics", headers={"Authorization": "Bearer lain"})[0] == 401
        metrics = own.ask("GET", "/metrics")[2].decode()
        assert 'titian_intake_posts_total{feed="ponbentuk_ukur",status="202"} 8' in metrics and "1471080204650003" not in own.log()
    finally:
        own.stop()


def test_a_key_is_answered_once_and_remembered_over_a_kill(apart):
    own = Intake(apart, "ponkunci").begin()
    try:
        first = own.post("ukur", {"id": "k1", "nilai": 1}, key="satu")
        again = own.post("ukur", {"id": "k1", "nilai": 1}, key="satu")
        assert first[0] == again[0] == 202 and first[2] == again[2] and again[1].get("Idempotency-Replayed") == "true"
        assert own.post("ukur", {"id": "k1", "nilai": 2}, key="satu")[0] == 422
        assert own.post("unit", {"id": "k1", "nilai": 2}, key="satu")[0] == 202  # another feed, another key
        own.kill()
        own.begin()
        assert own.post("ukur", {"id": "k1", "nilai": 1}, key="satu")[2] == first[2]
        own.post("ukur", {"id": "k2"})
        wait_for(lambda: len(own.values("ukur")) >= 2, 20, "the rows")
        assert own.values("ukur") == [("k1", 1, None), ("k2", None, None)]
    finally:
        own.stop()


def test_two_of_a_header_and_too_many_connections_are_refused(apart):
    own = Intake(apart, "ponpintu", intake=", address_connections: 3").begin()

    def say(*more):
        with socket.create_connection(("127.0.0.1", own.port), timeout=30) as s:
            s.sendall("\r\n".join(("POST /v1/feeds/ponpintu_ukur HTTP/1.1", "Host: h", "Authorization: Bearer " + own.token,
                                   "Connection: close") + more + ("Content-Length: 11", "", '{"id": "1"}')).encode())
            return s.makefile("rb").read().decode()
    try:
        json_, event = "Content-Type: application/json", ("ce-specversion: 1.0", "ce-id: 1", "ce-source: a", "ce-type: b", "ce-lain: c")
        for twice in ((json_, "Content-Type: application/x-ndjson"), (json_, "Idempotency-Key: a", "Idempotency-Key: b"),
                      (json_, "Authorization: Bearer lain"), (json_, *event, "Ce-Lain: d"), (json_, *event, "ce-id: 1")):
            said = say(*twice)
            assert said.startswith("HTTP/1.1 400 ") and "application/problem+json" in said, said
        assert say(json_, *event).startswith("HTTP/1.1 202 ") and say(json_, "Idempotency-Key: a").startswith("HTTP/1.1 202 ")
        slow = []

        def full():  # one of those before may be counted for a moment more
            while slow:
                slow.pop().close()
            slow.extend(socket.create_connection(("127.0.0.1", own.port)) for _ in range(3))
            with socket.create_connection(("127.0.0.1", own.port), timeout=30) as fourth:
                try:
                    fourth.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                    return fourth.recv(1) == b""
                except ConnectionError:
                    return True
        wait_for(full, 10, "the fourth to be refused")
        assert own.ask("GET", "/healthz", connection=http.client.HTTPConnection("127.0.0.1", own.port, source_address=("127.0.0.2", 0)))[0] == 200
        for s in slow:
            s.close()
    finally:
        own.stop()


def test_what_was_taken_is_on_the_topic_once_and_in_order_over_kills(apart):
    """Four senders with keys of their own, kill -9 of the adapter at any moment."""
    own = Intake(apart, "ponbunuh", "segment: 8KiB").begin()
    chance, count = random.Random(int(os.environ.get("INTAKE_SEED", "7"))), int(os.environ.get("INTAKE_ROWS", "150"))
    try:
        senders = [Sender(own, "s%d" % k, count) for k in range(4)]
        for _ in range(int(os.environ.get("INTAKE_KILLS", "6"))):
            time.sleep(chance.uniform(0.05, 0.4))
            own.kill()
            own.begin()
        for s in senders:
            s.join(120 + count)
            assert len(s.taken) == count
        wait_for(lambda: own.count("ukur") >= 4 * count, 60, "all rows")
        ids = [r.value["id"] for r in own.records("ukur")]
        assert len(ids) == len(set(ids)) == 4 * count, "none twice"
        for k in range(4):
            mine = [i for i in ids if i.startswith("s%d-" % k)]
            assert mine == sorted(mine), "each sender's rows in order"
    finally:
        own.stop()


def test_days_without_a_link_are_kept_and_drained_in_order(apart):
    """Everything is taken while Kafka cannot be reached, over a kill and a start without it; then all of it comes, once, in
    order, and no faster than it may. (make soak-intake: as many posts as come in 72 hours.)"""
    posts, each, rate = int(os.environ.get("INTAKE_POSTS", "300")), 20, int(os.environ.get("INTAKE_RATE", "3000"))
    own = Intake(apart, "ponputus", "segment: 64KiB, drain_rate: %d" % rate).cuttable().begin()
    try:
        assert own.post("ukur", {"id": "sebelum"})[0] == 202
        wait_for(lambda: own.values("ukur"), 20, "the first row")
        own.cut()
        want = ["sebelum"]
        for n in range(posts):
            rows = ["%06d-%02d" % (n, k) for k in range(each)]
            assert own.post("ukur", [{"id": i, "nilai": n} for i in rows], key=rows[0])[0] == 202
            want += rows
            if n == posts // 2:
                own.kill()
                own.begin()
        assert len(own.segments("ukur")) > 2 and own.count("ukur") == 1
        began = time.monotonic()
        own.cut(False)
        wait_for(lambda: own.count("ukur") >= len(want), 60 + 3 * len(want) / rate, "all rows")
        assert time.monotonic() - began > (len(want) / rate - 0.2) * 0.8, "faster than drain_rate"
        assert [r.value["id"] for r in own.records("ukur")] == want
        states = wait_for(lambda: [s for s in own.states("ukur") if s["status"] == "SELESAI"], 20, "delivered segments")
        assert all(s["diterima"] == s["diterbitkan"] + s["sama"] and s["ditolak"] == 0 for s in states)
    finally:
        own.stop()


@pytest.mark.skipif(not os.environ.get("INTAKE_CABLE") or not shutil.which("ip"), reason="make soak-intake")
def test_a_cable_that_is_pulled(apart):
    """As above, but the adapter stands in a network of its own, and what it sends is answered by nobody."""
    posts = int(os.environ.get("INTAKE_POSTS", "300"))
    cable = Cable(int(apart.bootstrap.rsplit(":", 1)[1]))
    own = Intake(apart, "ponkabel", "segment: 64KiB, drain_rate: 20000").apart_by(cable).begin()
    try:
        want = []

        def post(n):
            rows = ["%06d-%02d" % (n, k) for k in range(20)]
            assert own.post("ukur", [{"id": i} for i in rows], key=rows[0])[0] == 202
            want.extend(rows)
        post(0)
        wait_for(lambda: own.count("ukur") == 20, 20, "the first rows")
        cable.pull()
        for n in range(1, posts):
            post(n)
            if n == posts // 2:
                own.kill()
                own.begin()
        assert own.count("ukur") <= 40
        cable.pull(False)
        wait_for(lambda: own.count("ukur") >= len(want), 120 + len(want) / 1000, "all rows")
        assert [r.value["id"] for r in own.records("ukur")] == want
    finally:
        own.stop()
        cable.close()


def test_a_full_spool_refuses_and_drops_nothing(apart):
    own = Intake(apart, "ponpenuh", "segment: 8KiB, max: 32KiB").cuttable().begin()
    try:
        wait_for(lambda: "adapter.position" in own.log(), 30, "the adapter")
        own.cut()
        taken, refused = [], None
        for n in range(500):
            status, head, said = own.post("ukur", {"id": "p%04d" % n, "teks": "x" * 500})
            if status != 202:
                refused = (status, said["code"], "Retry-After" in head)
                break
            taken.append("p%04d" % n)
        assert refused == (503, "spool-full", True) and taken
        assert own.ask("GET", "/healthz")[0] == 503
        own.cut(False)
        wait_for(lambda: own.post("ukur", {"id": "sesudah"}, key="sesudah")[0] == 202, 60, "room")
        wait_for(lambda: len(own.records("ukur")) > len(taken), 30, "all rows")
        assert [r.value["id"] for r in own.records("ukur")] == taken + ["sesudah"]
    finally:
        own.stop()


def test_a_damaged_segment_is_told_and_its_whole_posts_are_published(apart):
    own = Intake(apart, "ponrusak").cuttable().begin()
    try:
        wait_for(lambda: "adapter.position" in own.log(), 30, "the adapter")
        own.cut()
        own.post("ukur", {"id": "r0"})
        begin = own.segments("ukur")[0].stat().st_size
        own.post("ukur", [{"id": "r1"}, {"id": "r2"}])
        own.post("ukur", [{"id": "r3"}, {"nilai": 4}])
        own.kill()
        segment = own.segments("ukur")[0]
        raw = bytearray(segment.read_bytes())
        assert b"r1" not in raw
        raw[begin + 60] ^= 1
        segment.write_bytes(raw)
        own.cut(False)
        own.begin()
        state = wait_for(lambda: [s for s in own.states("ukur") if s["status"] != "DIPROSES"], 30, "the segment's record")[0]
        assert state["status"] == "TERPOTONG" and "1 kiriman hilang" in state["alasan"] and "%d-" % begin in state["alasan"], state
        assert own.values("ukur") == [("r0", None, None), ("r3", None, None)]
        assert [r.value["baris"] for r in own.records("karantina")] == [5], "lines keep their numbers"
        wait_for(lambda: own.segments("ukur", "damaged") and list((segment.parent / "damaged").glob("*.laporan.txt")), 20, "its place")
        assert own.post("ukur", {"id": "r9"})[0] == 202
        wait_for(lambda: len(own.values("ukur")) == 3, 20, "what came after")
    finally:
        own.stop()


def test_delivered_posts_are_fed_again_to_a_centre_that_lost_them_and_not_doubled_in_one_that_has_them(apart):
    own = Intake(apart, "ponulang").begin()
    rows = [("u%d" % (n % 3), n, None) for n in range(9)]
    replay = lambda check=True: own.run(BIN / "titian-adapter", "replay", "--config", own.conf, "--since", "1h", check=check)
    try:
        for i, n, _ in rows:
            assert own.post("unit", {"id": i, "nilai": n})[0] == 202
        wait_for(lambda: len(own.values("unit")) == 9, 20, "the rows")
        running = replay(check=False)
        assert running.returncode == 1 and "stop it first" in running.stderr
        own.stop()
        # The key is changed; what the old one sealed is still read.
        (own.dir / "keys/spool.key").rename(own.dir / "keys/old.key")
        own.run(BIN / "titian", "key", "new", own.dir / "keys/spool.key")
        own.conf.write_text(own.conf.read_text().replace("keys/spool.key}", "keys/spool.key, old_keys: [%s]}" % (own.dir / "keys/old.key")))
        own.begin()
        wait_for(lambda: own.segments("unit", "delivered"), 30, "the segment to be delivered")
        assert own.values("unit") == rows, "a restart sends nothing again"
        own.stop()
        assert "unit: 1 " in replay().stdout
        own.begin()
        wait_for(lambda: own.segments("unit", "delivered"), 30, "the segment again")
        assert own.values("unit") == rows, "the centre has it: nothing twice"
        own.stop()
        topics = ["pku.ponulang.%s.v1" % t for t in ("unit", "berkas", "karantina")]
        admin = AdminClient({"bootstrap.servers": apart.bootstrap})
        for f in admin.delete_topics(topics).values():
            f.result(30)
        wait_for(lambda: not set(topics) & set(admin.list_topics(timeout=10).topics), 30, "the topics to be gone")
        own.run(BIN / "titian", "topic", "apply", "--bootstrap", apart.bootstrap, "--partitions", "1", own.dir / "avsc")
        replay()
        own.begin()
        wait_for(lambda: len(own.values("unit")) >= 9, 30, "the rows at the new centre")
        assert own.values("unit") == rows
    finally:
        own.stop()


def test_a_file_of_the_same_feed_goes_between_two_segments(apart):
    own = Intake(apart, "poncampur").begin()
    try:
        assert own.post("unit", {"id": "m", "nilai": 1})[0] == 202
        wait_for(lambda: len(own.values("unit")) == 1, 20, "what was posted")
        own.drop("poncampur_unit.jsonl", b'{"id": "m", "nilai": 2}\n')
        wait_for(lambda: len(own.values("unit")) == 2, 20, "the file")
        assert own.post("unit", {"id": "m", "nilai": 3})[0] == 202
        wait_for(lambda: len(own.values("unit")) == 3, 20, "what was posted then")
        own.kill()
        own.begin()
        assert own.post("unit", {"id": "n"})[0] == 202
        wait_for(lambda: ("n", None, None) in own.values("unit"), 30, "what was posted after a kill")
        assert own.values("unit") == [("m", 1, None), ("m", 2, None), ("m", 3, None), ("n", None, None)]
    finally:
        own.stop()
