"""The HTTP intake and its spool: what was answered 202 is on the topic, once and in order, whatever happened in between. The
topic is read by Confluent's consumer and fastavro; what was posted is known to the senders of the test."""
import json
import os
import random
import time

import pytest

from conftest import wait_for
from intake_stage import Intake, Sender


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
            s.join(120)
            assert len(s.taken) == count
        wait_for(lambda: len(own.records("ukur")) >= 4 * count, 60, "all rows")
        ids = [r.value["id"] for r in own.records("ukur")]
        assert len(ids) == len(set(ids)) == 4 * count, "none twice"
        for k in range(4):
            mine = [i for i in ids if i.startswith("s%d-" % k)]
            assert mine == sorted(mine), "each sender's rows in order"
    finally:
        own.stop()
