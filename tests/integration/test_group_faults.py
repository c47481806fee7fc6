"""Several gateways, and what goes wrong between them: forged records, a copy that breaks off or is tampered with, a gateway
cut off from Kafka, a kill while the leader changes, all stores lost. `make soak-gateways` runs all of it, `make test` what
takes no minute."""
import http.server
import os
import random
import shutil
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, wait_for
from group_stage import Reader, Stage
from test_two_gateways import Load, follow

SWITCHES = int(os.environ.get("GROUP_SWITCHES", "1"))
long = pytest.mark.skipif("GROUP_SWITCHES" not in os.environ, reason="make soak-gateways")


@pytest.fixture(scope="module")
def stage(apart):
    s = Stage(apart, "cela")
    try:
        for name in "ab":
            s.gateway(name).start()
        s.write(random.Random(1), 600, keys=400)
        s.settled("ab")
        yield s
    finally:
        s.stop()


def leading(stage):
    leader = wait_for(stage.leader, 40, "a leader")
    return leader, "a" if leader == "b" else "b"


def write_raw(stage, *values):
    from confluent_kafka import Producer
    writer = Producer({"bootstrap.servers": stage.city.bootstrap})
    for value in values:
        writer.produce("_group_" + stage.name, value, partition=0)
    assert writer.flush(10) == 0


def test_forged_records_are_passed_over_and_counted(stage):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    leader, _ = leading(stage)
    before = {n: stage.gateways[n].metric("titian_group_unopened_total") for n in "ab"}
    other, nonce = AESGCM(bytes(32)), os.urandom(12)
    write_raw(stage, b"", b"x", os.urandom(100), b"\1" + nonce + other.encrypt(nonce, b"C\1\1\1\0", b"titian-group"))
    stage.write(random.Random(2), 100)
    stage.settled("ab")
    for n in "ab":
        assert stage.gateways[n].metric("titian_group_unopened_total") == before[n] + 4
    wait_for(lambda: stage.leader() == leader, 20, "the same to lead")
    stage.equal("ab")


def test_a_sign_of_life_told_again_keeps_no_dead_leader_alive(stage):
    """Whoever may write to the topic but has no key writes the leader's beats again, without end."""
    from confluent_kafka import Consumer, TopicPartition
    leader, other = leading(stage)
    reader = Consumer({"bootstrap.servers": stage.city.bootstrap, "group.id": "uji"})
    end = reader.get_watermark_offsets(TopicPartition("_group_" + stage.name, 0), timeout=10)[1]
    reader.assign([TopicPartition("_group_" + stage.name, 0, end)])
    heard = []
    wait_for(lambda: heard.append(reader.poll(1)) or len([m for m in heard if m and not m.error()]) >= 8, 20, "beats")
    reader.close()
    stage.gateways[leader].kill()
    over = threading.Event()

    def again():
        while not over.wait(0.2):
            write_raw(stage, *(m.value() for m in heard if m and not m.error()))
    thread = threading.Thread(target=again)
    thread.start()
    try:
        wait_for(lambda: stage.role(other)["role"] == "leads", 30, "'%s' to lead" % other)
    finally:
        over.set()
        thread.join()
    stage.gateways[leader].start()
    stage.settled("ab")
    stage.equal("ab")


@long
def test_one_with_another_key_never_leads(stage):
    """Its own store is empty, and it opens nothing on the topic: not even what it wrote in an earlier life."""
    wrong = stage.gateway("x")
    del stage.gateways["x"]
    key = wrong.dir / "lain.key"
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)
    config = wrong.dir / "gateway.yaml"
    config.write_text(config.read_text().replace("cursor: {key: %s}" % stage.key, "cursor: {key: %s}" % key))
    for _ in range(2):
        with pytest.raises(AssertionError, match="to be ready"):
            start(wrong, 8)
        assert wrong.metric("titian_group_unopened_total") > 10 and wrong.metric("titian_group_leads") == 0
        wrong.kill()
    assert leading(stage)[0] in "ab"
    stage.write(random.Random(3), 20)
    stage.settled("ab")


def start(gateway, seconds):
    """As OwnGateway.start, which waits for a minute."""
    with open(gateway.dir / "gateway.log", "ab") as log:
        gateway.process = subprocess.Popen([str(ROOT / "build/release/bin/titian-gateway"), "--config", str(gateway.dir / "gateway.yaml")],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    wait_for(gateway.ready, seconds, "the gateway to be ready")


def test_a_group_without_name_or_url_says_so(stage):
    text = (stage.gateways["a"].dir / "gateway.yaml").read_text()
    line = 1 + [i for i, row in enumerate(text.splitlines()) if row.startswith("group:")][0]
    for gone, option in ((", name: a", "group.name"), (", url: '%s'" % stage.gateways["a"].ops, "group.url")):
        assert gone in text
        config = stage.dir / "kurang.yaml"
        config.write_text(text.replace(gone, ""))
        run = subprocess.run([str(ROOT / "build/release/bin/titian-gateway"), "--config", str(config)], capture_output=True, text=True, timeout=20)
        assert run.returncode == 2 and "%s:%d: group.topic needs %s" % (config, line, option) in run.stderr, run.stderr


# --- copies ----------------------------------------------------------------------------------------------------------


class Between(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Stands before a gateway's operations port, and does with a copy what `mode` says."""
    daemon_threads = True

    def __init__(self, gateway):
        self.gateway, self.mode, self.seen, self.old = gateway, "pass", [], None
        super().__init__(("127.0.0.1", 0), Passing)
        self.url = "http://127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        s = self.server
        request = urllib.request.Request(s.gateway.ops + self.path, headers={k: v for k, v in self.headers.items() if k.lower() != "host"})
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        body, head = answer.read(), {k: v for k, v in answer.headers.items() if k.lower() not in ("connection", "transfer-encoding")}
        s.seen.append((answer.status, self.headers.get("Range"), self.headers.get("Authorization")))
        if answer.status in (200, 206):
            head["Content-Length"] = str(len(body))
            if s.mode == "keep":
                s.old, s.mode = (head, body), "pass"
            elif s.mode == "tamper":
                body = body[:-100] + bytes([body[-100] ^ 1]) + body[-99:]
            elif s.mode == "old":
                head, body = s.old
        cut = len(body) // 3 if s.mode == "cut" and answer.status in (200, 206) and len(body) > 3000 else None
        self.send_response(answer.status)
        for k, v in head.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)


def forget(gateway):
    for f in gateway.dir.glob("city.db*"):
        shutil.rmtree(f) if f.is_dir() else f.unlink()


@pytest.fixture
def copied(stage):
    """a alone, behind something that stands between, and c, which has no store."""
    a, b = stage.gateways["a"], stage.gateways["b"]
    b.stop()
    a.stop()
    between = Between(a)
    config, was = a.dir / "gateway.yaml", (a.dir / "gateway.yaml").read_text()
    config.write_text(was.replace("url: '%s'" % a.ops, "url: '%s'" % between.url))
    a.start()
    wait_for(lambda: stage.role("a")["role"] == "leads", 30, "'a' to lead")
    c = stage.gateway("c")
    yield between, c
    c.stop()
    del stage.gateways["c"]
    a.stop()
    config.write_text(was)
    a.start()
    b.start()
    between.shutdown()
    between.server_close()


@long
def test_a_copy_that_breaks_off_goes_on_and_one_that_is_not_the_groups_is_refused(stage, copied):
    between, c = copied
    between.mode = "cut"
    start(c, 60)
    ranges = [r for status, r, _ in between.seen if status == 206]
    assert len(ranges) >= 3 and ranges == sorted(ranges, key=lambda r: int(r[6:-1])), between.seen
    stage.settled("ac")
    stage.equal("ac")
    assert c.log().count("id=group.copied") == 1

    # A question is good once, and at the gateway that it was put to.
    used = [auth for status, _, auth in between.seen if status == 200][0]
    for url in (between.gateway.ops, c.ops):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url + "/v1/group/store", headers={"Authorization": used}), timeout=10)
        assert refused.value.code == 401

    c.kill()
    forget(c)
    between.mode = "keep"
    start(c, 60)
    c.kill()
    forget(c)
    for mode, said in (("tamper", "is not what it should be (SHA-256)"), ("old", "the answer is not of a gateway of this group")):
        between.mode = mode
        with pytest.raises(AssertionError, match="to be ready"):
            start(c, 9)
        wait_for(lambda: said in c.log(), 20, "'%s'" % said)
        c.kill()
        forget(c)
    between.mode = "pass"
    stage.write(random.Random(5), 50)
    start(c, 60)
    stage.settled("ac")
    stage.equal("ac")


# --- who leads -------------------------------------------------------------------------------------------------------


@long
@pytest.mark.parametrize("seed", range(SWITCHES))
def test_a_kill_while_the_leader_changes(stage, seed):
    """The leader dies; the other claims, and is killed as it does."""
    leader, other = leading(stage)
    reader, load = Reader("orang"), Load(stage, 70 + seed)
    try:
        follow(stage, reader, other, lambda r: r.told > 20)
        claims = stage.gateways[other].log().count("id=group.claim")
        stage.gateways[leader].kill()
        wait_for(lambda: stage.gateways[other].log().count("id=group.claim") > claims, 30, "a claim")
        threading.Event().wait(random.Random(seed).random() * 0.05)  # anywhere from its claim to its first batch
        stage.gateways[other].kill()
        for name in (leader, other):
            start(stage.gateways[name], 60)
        follow(stage, reader, leader, lambda r: r.poll(stage.gateways[leader], wait=0))
    finally:
        load.end()
    stage.settled("ab")
    follow(stage, reader, other, lambda r: r.poll(stage.gateways[other], wait=0))
    assert reader.held == stage.truth("orang") and reader.repeats == []
    stage.equal("ab")


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    out = tmp_path_factory.mktemp("cut") / "cut.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", str(out), str(ROOT / "tests/support/cut.c"), "-ldl"], check=True)
    return out


@long
@pytest.mark.parametrize("role", ["follows", "leads"])
def test_a_gateway_that_is_cut_off_from_kafka_for_a_while(stage, cut, tmp_path, monkeypatch, role):
    """It answers with what it has, and its metrics say so: it cannot know whether it is alone with that. If it led, another
    does after a while. Both go on afterwards."""
    leader, other = leading(stage)
    name, rest = (leader, other) if role == "leads" else (other, leader)
    gateway, file = stage.gateways[name], tmp_path / "cut"
    gateway.stop()
    if role == "leads":  # it comes back as the one that leads
        stage.gateways[rest].stop()
    for k, v in (("LD_PRELOAD", str(cut)), ("TITIAN_CUT", str(file)), ("TITIAN_CUT_PORT", stage.city.bootstrap.rsplit(":", 1)[1])):
        monkeypatch.setenv(k, v)
    start(gateway, 60)
    for k in ("LD_PRELOAD", "TITIAN_CUT", "TITIAN_CUT_PORT"):
        monkeypatch.delenv(k)
    if role == "leads":
        wait_for(lambda: stage.role(name)["role"] == "leads", 30, "'%s' to lead" % name)
        start(stage.gateways[rest], 60)
    assert stage.role(name)["role"] == role
    load = Load(stage, 90)
    try:
        reader = Reader("penuh")
        follow(stage, reader, name, lambda r: r.poll(gateway, wait=0))
        file.touch()
        wait_for(lambda: stage.role(rest)["role"] == "leads", 40, "'%s' to lead" % rest)
        wait_for(lambda: gateway.metric("titian_group_silent_seconds") >= 5, 40, "'%s' to hear nothing" % name)
        assert stage.gateways[rest].metric("titian_group_silent_seconds") < 3
        assert gateway.get("/v1/views/orang?limit=1")  # what it has, it answers
        follow(stage, reader, rest, lambda r: r.poll(stage.gateways[rest], wait=0))
        file.unlink()
        wait_for(lambda: gateway.metric("titian_group_silent_seconds") < 2 and stage.role(name)["role"] == "follows", 60,
                 "'%s' to follow again" % name)
    finally:
        load.end()
    stage.settled("ab")
    stage.equal("ab")
    follow(stage, reader, name, lambda r: r.poll(gateway, wait=0))
    assert reader.held == stage.truth("penuh") and reader.repeats == []
    assert stage.role(name)["role"] == "follows"
    gateway.stop()
    gateway.start()


@long
def test_all_stores_are_lost_and_one_begins_anew(stage):
    """Last: cursors of before are unknown then."""
    old = Reader("orang")
    old.poll(stage.gateways["a"])
    for name in "ab":
        stage.gateways[name].stop()
        forget(stage.gateways[name])
    a, b = stage.gateways["a"], stage.gateways["b"]
    with pytest.raises(AssertionError, match="to be ready"):  # nobody has a store, and nobody may begin
        start(a, 6)
    a.stop()
    config, was = a.dir / "gateway.yaml", (a.dir / "gateway.yaml").read_text()
    config.write_text(was.replace("name: a,", "name: a, anew: true,"))
    start(a, 90)
    assert stage.role("a")["role"] == "leads"
    a.stop()
    config.write_text(was)  # once
    start(a, 60)
    start(b, 60)
    stage.write(random.Random(11), 100)
    stage.settled("ab")
    stage.equal("ab")
    status, _, body = a.request("/v1/views/orang/changes?after=" + old.cursor)
    assert status == 410, (status, body[:200])
    fresh = Reader("orang")
    follow(stage, fresh, "b", lambda r: r.poll(b, wait=0))
    assert fresh.held == stage.truth("orang")
