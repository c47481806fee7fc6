"""Views defined, changed and dropped over HTTP while a stock SSE client follows, on two gateways, over kill -9."""
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
import sseclient
import urllib3

from conftest import ROOT, free_ports, wait_for

VIEW = "uji_penerima"


def definition(where, columns="status", name=VIEW, more=""):
    """Recipients of assistance: one row a grant, of those the condition leaves."""
    listed = "".join("  %s: {type: text, pdp: S}\n" % c.split()[-1] for c in columns.split(", "))
    return ("/*---\nname: %s\ntitle: {id: Uji, en: Trial}\nkey: kunci\n%sroutes: {dinsos_bansos: _key}\n"
            "columns:\n  kunci: {type: text, pdp: P}\n%s---*/\nSELECT _key AS kunci, %s FROM dinsos_bansos\n"
            "WHERE %s\n" % (name, more, listed, columns, where))


class Gateway:
    """A gateway of the city beside its own: another store, other ports, the same Kafka."""

    def __init__(self, city, name):
        self.city, self.dir = city, city.dir / name
        self.dir.mkdir(exist_ok=True)
        base = free_ports(2)
        text = (city.dir / "conf" / "gateway.yaml").read_text()
        conf = []
        section = None
        for line in text.splitlines():
            if line and not line.startswith(" "):
                section = line.split(":")[0]
            if line.strip().startswith("port:"):
                line = "  port: %d" % (base if section == "http" else base + 1)
            if section == "db" and line.strip().startswith("path:"):
                line = "  path: %s" % (self.dir / "city.db")
            conf.append(line)
        self.conf = self.dir / "gateway.yaml"
        self.conf.write_text("\n".join(conf) + "\n")
        self.url = "http://127.0.0.1:%d" % base
        self.process = None

    def start(self):
        with open(self.dir / "gateway.log", "ab") as log:
            self.process = subprocess.Popen([str(ROOT / "build/release/bin/titian-gateway"), "--config", str(self.conf)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def ready(self):
        wait_for(lambda: self.request("/readyz")[0] == 200, 60, "a gateway to be ready")
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def request(self, path, **more):
        try:
            return self.city.request(path, url=self.url, **more)
        except (OSError, http.client.HTTPException):
            return 0, {}, b""


def put(city, text, view=VIEW, query="?apply=true", key=None, headers=None):
    """(status, answer) of a PUT to the city's own gateway."""
    connection = http.client.HTTPConnection(city.city.url.split("//")[1], timeout=60)
    connection.request("PUT", "/v1/views/%s%s" % (view, query), text.encode(),
                       {"Authorization": "Bearer " + (key or city.city.key), "Accept-Language": "en", **(headers or {})})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)


def drop(city, view=VIEW, query="?apply=true"):
    status, _, body = city.request("/v1/views/%s%s" % (view, query), method="DELETE")
    return status, json.loads(body)


def state(at, view=VIEW):
    status, _, body = at.request("/v1/views/%s/state" % view)
    return json.loads(body) if status == 200 else None


def text_of(at, view=VIEW):
    status, _, body = at.request("/v1/views/%s/definition" % view)
    return body.decode() if status == 200 else None


def runs(at, text, view=VIEW):
    """The definition has been taken, and its rows are there."""
    wait_for(lambda: text_of(at, view) == text and (state(at, view) or {}).get("state") == "running", 60,
             "%s to run what was defined: %s" % (view, state(at, view)))


def rows(at, view=VIEW):
    status, _, body = at.request("/v1/views/%s?limit=10000" % view)
    assert status == 200, body
    return {r["kunci"]: r for r in json.loads(body)}


class Follower(threading.Thread):
    """sseclient-py, reconnecting as a browser does: what it folds is what it was told."""

    def __init__(self, city, view=VIEW):
        super().__init__(daemon=True)
        self.city, self.view = city, view
        self.rows, self.last, self.events, self.ended, self.stop = {}, None, 0, None, False
        self.start()

    def run(self):
        pool = urllib3.PoolManager()
        while not self.stop and not self.ended:
            headers = {"Accept": "text/event-stream", "Authorization": "Bearer " + self.city.city.key}
            if self.last:
                headers["Last-Event-ID"] = self.last
            answer = pool.request("GET", "%s/v1/views/%s/changes" % (self.city.city.url, self.view), headers=headers,
                                  preload_content=False, timeout=urllib3.Timeout(5, 20))
            if answer.status != 200:
                self.ended = answer.status
                return
            try:
                for event in sseclient.SSEClient(answer).events():
                    if event.event == "sunset":
                        self.ended = "sunset"
                    data = json.loads(event.data)
                    if event.event == "upsert":
                        self.rows[data["key"]] = data["row"]
                    elif event.event == "delete":
                        self.rows.pop(data["key"], None)
                    self.events += event.event in ("upsert", "delete")
                    self.last = event.id or self.last
                    if self.stop:
                        return
            except (urllib3.exceptions.HTTPError, OSError):
                pass


@pytest.fixture(scope="module")
def second(sample):
    gateway = Gateway(sample, "second").start().ready()
    yield gateway
    gateway.stop()


def source(sample):
    """Status of each grant, as another SQLite reads the topic's table."""
    db = sqlite3.connect("file:%s?mode=ro" % (sample.dir / "view" / "city.db"), uri=True)
    try:
        return dict(db.execute("SELECT _key, status FROM dinsos_bansos"))
    finally:
        db.close()


def test_a_view_is_checked_defined_changed_and_dropped_while_it_is_followed(sample, second):
    first = definition("status = 'AKTIF'")
    assert put(sample, first, query="")[1]["outcome"] == "new"
    assert state(sample) is None, "a dry run defines nothing"
    status, answer = put(sample, first)
    assert status == 202 and answer["outcome"] == "new", answer
    runs(sample, first)
    active = {k for k, s in source(sample).items() if s == "AKTIF"}
    assert active and set(rows(sample)) == active
    follower = Follower(sample)
    wait_for(lambda: set(follower.rows) == active, 20, "the snapshot")

    # Others, too: what differs comes, and nothing else.
    other = definition("status <> 'AKTIF'")
    before = follower.events
    assert put(sample, other, query="")[1]["outcome"] == "changed"
    assert put(sample, other)[0] == 202
    runs(sample, other)
    rest = {k for k, s in source(sample).items() if s != "AKTIF"}
    wait_for(lambda: follower.rows == rows(sample), 20, "the changed view")
    assert set(follower.rows) == rest and follower.events - before == len(active) + len(rest)

    # A column more: every row is another one.
    wider = definition("status <> 'AKTIF'", "status, program")
    assert put(sample, wider)[0] == 202
    runs(sample, wider)
    wait_for(lambda: follower.rows == rows(sample), 20, "the wider view")
    assert all(len(r) == 3 for r in follower.rows.values())

    # Every gateway has the same.
    runs(second, wider)
    assert rows(second) == rows(sample)

    assert drop(sample, query="")[1]["outcome"] == "dropped"
    assert drop(sample)[0] == 202
    wait_for(lambda: follower.ended, 20, "the end of the feed")
    assert follower.ended == "sunset"
    wait_for(lambda: state(sample) is None and state(second) is None, 20, "the view to be gone")
    assert sample.request("/v1/views/" + VIEW)[0] == 404
    follower.stop = True


def test_a_shipped_view_is_overridden_and_comes_back(sample, second):
    view = "penerima_bansos_meninggal"
    shipped = text_of(sample, view)
    assert shipped == (ROOT / "gateway/views" / (view + ".sql")).read_text()
    words = shipped.replace("en: Recipients", "en: (trial) Recipients", 1)
    assert words != shipped
    page = sample.city.get("/v1/views/" + view)
    assert put(sample, words, view)[1]["outcome"] == "words"
    runs(sample, words, view)
    runs(second, words, view)
    assert sample.city.get("/v1/views/" + view) == page
    assert drop(sample, view)[1]["outcome"] == "reverted"
    runs(sample, shipped, view)
    runs(second, shipped, view)
    status, answer = drop(sample, view)
    assert status == 409, answer


def test_what_may_not_be_is_refused(sample):
    assert put(sample, "SELECT 1")[0] == 422
    assert put(sample, definition("true", name="lain"))[0] == 422
    status, answer = put(sample, definition("true", more="columnz: 1\n"))
    assert status == 422 and "columnz" in answer["detail"], answer
    assert put(sample, definition("true"), query="?apply=perhaps")[0] == 400
    assert put(sample, definition("true"), headers={"If-Match": '"00"'})[0] == 412
    assert put(sample, definition("true"), key="tk_nobody")[0] == 401
    made = subprocess.run([str(ROOT / "build/release/bin/titian-gateway"), "key", "new", "--keys",
                           str(sample.dir / "keys" / "access.keys"), "--name", "publik"],
                          capture_output=True, text=True, check=True).stdout.strip()
    os.kill(sample.pid("gateway"), signal.SIGHUP)
    wait_for(lambda: sample.request("/v1/whoami", key=made)[0] == 200, 20, "the new key")
    assert put(sample, definition("true"), key=made)[0] == 403
    assert sample.request("/v1/views/penduduk/definition", key=made)[0] == 403
    status, answer = drop(sample, "warga")
    assert status == 409
    status, answer = put(sample, definition("statuss = 'AKTIF'"), query="")
    assert status == 200 and answer["outcome"] == "refused" and not answer["check"]["good"], answer
    assert "statuss" in json.dumps(answer["check"]["problems"])


def test_what_others_read_stays(sample):
    full = definition("true", name="uji_penuh", more="store: full\n")
    reads = definition("true", name="uji_baca").replace("dinsos_bansos: _key", "uji_penuh: kunci").replace(
        "_key AS kunci, status FROM dinsos_bansos", "kunci, status FROM uji_penuh")
    assert put(sample, full, "uji_penuh")[0] == 202
    runs(sample, full, "uji_penuh")
    assert put(sample, reads, "uji_baca")[0] == 202
    runs(sample, reads, "uji_baca")
    assert set(rows(sample, "uji_baca")) == set(source(sample))
    for status, answer in (drop(sample, "uji_penuh"), put(sample, full.replace("store: full\n", ""), "uji_penuh")):
        assert status == 409 and "uji_baca" in answer["detail"], answer
    for view in "uji_baca", "uji_penuh":
        assert drop(sample, view)[0] == 202
        wait_for(lambda: state(sample, view) is None, 20, view + " to be gone")


AGAIN = """/*---
name: uji_lagi
title: {id: Uji, en: Test}
key: id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek]}
columns:
  id_subjek: {type: text, pdp: P}
  bantuan: {type: int, pdp: S}
---*/
SELECT id_subjek, count(*) AS bantuan FROM dinsos_bansos WHERE id_subjek IS NOT NULL GROUP BY id_subjek
"""


def test_what_is_given_again_right_after_its_drop_holds(sample):
    """Of 150 such pairs some twenty were lost when an answer of "same" was taken from a set of views that was passing."""
    chance = random.Random(7)
    assert put(sample, AGAIN, "uji_lagi")[0] == 202
    runs(sample, AGAIN, "uji_lagi")
    for _ in range(20):  # each meets the drop elsewhere: asked for, being done, done
        assert drop(sample, "uji_lagi")[0] == 202
        time.sleep(chance.random() * 0.06)  # the moment is what is tried
        assert put(sample, AGAIN, "uji_lagi")[0] == 202
        wait_for(lambda: (state(sample, "uji_lagi") or {}).get("state") == "running", 20, "it to hold")
    # One record after the other: a definition of another name is behind them all.
    assert put(sample, definition("true", name="uji_akhir"), "uji_akhir")[0] == 202
    runs(sample, definition("true", name="uji_akhir"), "uji_akhir")
    runs(sample, AGAIN, "uji_lagi")
    for view in "uji_lagi", "uji_akhir":
        assert drop(sample, view)[0] == 202
        wait_for(lambda: state(sample, view) is None, 20, view + " to be gone")


def test_a_kill_in_the_middle_leaves_the_old_or_the_new(sample):
    """The gateway that builds is killed at moments chosen by a seed; another one says what is right."""
    chance = random.Random(20260)
    victim = Gateway(sample, "victim").start().ready()
    try:
        for turn in range(6):
            text = definition(chance.choice(["status = 'AKTIF'", "status <> 'AKTIF'", "true"]) +
                              " AND %d = %d" % (turn, turn), chance.choice(["status", "status, program"]))
            assert put(sample, text)[0] == 202
            wait_for(lambda: (state(victim) or {}).get("state") != "running" or text_of(victim) == text, 20,
                     "the other gateway to hear of it")
            time.sleep(chance.random() * 0.03)  # anywhere in the build
            victim.kill()
            victim.start()
            wait_for(lambda: text_of(victim) is not None or victim.request("/readyz")[0] == 200, 60, "the victim to be back")
            runs(sample, text)
            runs(victim, text)
            assert rows(victim) == rows(sample)
    finally:
        victim.stop()
        drop(sample)
        wait_for(lambda: state(sample) is None, 20, "the view to be gone")
