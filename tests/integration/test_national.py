"""The national profile: signatures both ways, by another implementation of RFC 9421 (http-message-signatures);
acknowledgements, whose digests another implementation of RFC 8785 makes. The month is test_national_month.py's."""
import base64
import datetime
import hashlib
import json
import threading
import urllib.request

import pytest
import rfc8785
from confluent_kafka import Consumer, TopicPartition
from cryptography.hazmat.primitives.asymmetric import ed25519

import centre
from conftest import wait_for
from own_gateway import OwnGateway, Topic

SCHEMA = {"type": "record", "name": "Nasional", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string", "x_pdp": "P"},
                     {"name": "kel", "type": ["null", "string"], "default": None, "x_pdp": "N"},
                     {"name": "nilai", "type": ["null", "double"], "default": None, "x_pdp": "N"},
                     {"name": "jumlah", "type": "long", "default": 0, "x_pdp": "N"},
                     {"name": "nama", "type": "string", "default": "", "x_pdp": "U"},
                     {"name": "rahasia", "type": "string", "default": "x", "x_pdp": "S"}]}
ROWS = """/*---
name: nasional_baris%(n)d
key: id
routes: {uji_nasional%(n)d: _key}
columns:
  id: {type: text, pdp: P}
  kel: {type: text, pdp: N}
  nilai: {type: real, pdp: N}
  jumlah: {type: int, pdp: N}
  nama: {type: text, pdp: U}
  rahasia: {type: text, pdp: S}
---*/
SELECT _key AS id, kel, nilai, jumlah, nama, rahasia FROM uji_nasional%(n)d
"""
COUNTS = """/*---
name: nasional_hitung%(n)d
key: kel
columns:
  kel: {type: text, pdp: N}
  orang: {type: int, pdp: N}
  jumlah: {type: int, pdp: N}
---*/
SELECT kel, count(*) AS orang, sum(jumlah) AS jumlah FROM uji_nasional%(n)d WHERE kel IS NOT NULL GROUP BY kel
"""
POLICY = """readers:
  uji: {status: true, views: {"*": {clear: ["*"]}}, publish: {pku.uji.nasional%(n)d.v1: {}}}
  pusat:
    signed: true
    must_sign: true
    verify: %(x)s
    views: {nasional_baris%(n)d: {clear: [nama]}, nasional_hitung%(n)d: {}}
  biasa: {views: {nasional_hitung%(n)d: {}}}
"""
PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"pusat").digest())


def raw(key):
    return (key if isinstance(key, ed25519.Ed25519PublicKey) else key.public_key()).public_bytes_raw()


class Bus:
    """A gateway with a topic, and what the centre is told of it."""

    def __init__(self, apart, n):
        self.n = {"n": n, "x": base64.urlsafe_b64encode(raw(PRIVATE)).rstrip(b"=").decode()}
        self.topic = Topic(apart, "pku.uji.nasional%d.v1" % n, SCHEMA)
        self.rows, self.counts = "nasional_baris%d" % n, "nasional_hitung%d" % n
        self.gateway = OwnGateway(apart, "national%d" % n, [self.topic], {self.rows: ROWS % self.n, self.counts: COUNTS % self.n},
                                  POLICY % self.n, readers=("uji", "pusat", "biasa"),
                                  more="national: {topic: _uji_ack%d}\npublish: {topic: _uji_pub%d}\n" % (n, n)).start()
        x = self.directory()["keys"][0]["x"]
        self.bus_key = base64.urlsafe_b64decode(x + "=").hex()

    def directory(self):
        answer = urllib.request.urlopen(self.gateway.url + "/.well-known/http-message-signatures-directory")
        assert answer.headers["Content-Type"] == "application/http-message-signatures-directory+json"
        return json.loads(answer.read())

    def client(self, url=None, key=PRIVATE, reader="pusat"):
        return centre.Signed(url or self.gateway.url, reader, key.private_bytes_raw().hex(), self.bus_key)


@pytest.fixture(scope="module")
def bus(apart):
    b = Bus(apart, 1)
    for i in range(60):
        b.topic.put("p%02d" % i, {"id": "p%02d" % i, "kel": "k%d" % (i % 3), "nilai": i / 7, "jumlah": i, "nama": "Ani \u00e9 %d" % i,
                                  "rahasia": "r"})
    b.topic.flush()
    centre_wait(b, 60)
    yield b
    b.gateway.stop()


def centre_wait(b, rows):
    wait_for(lambda: len(b.gateway.get("/v1/views/%s?limit=1000" % b.rows)) == rows, 30, "%d rows" % rows)


def test_answers_are_signed_for_who_wants_it(bus):
    c, plain = bus.client(), bus.gateway
    for path in ("/v1/views/%s?limit=5" % bus.rows, "/v1/views/%s/p01" % bus.rows, "/v1/views", "/v1/whoami", "/v1/views/tidak_ada",
                 "/v1/views/%s/changes" % bus.rows, "/v1/views/%s.csv" % bus.rows, "/v1/views/%s.parquet" % bus.rows):
        status, headers, body = c.ask("GET", path)
        assert status == (404 if "tidak_ada" in path else 200), (path, status, body)
        assert headers["Signature-Input"].startswith("titian=(") and body
    # gzip: the digest is of what is sent, and the body is what it was
    assert c.ask("GET", "/v1/views/%s?limit=60" % bus.rows, {"Accept-Encoding": "gzip"})[1]["Content-Encoding"] == "gzip"
    # 304 has no body and is signed
    _, headers, _ = c.ask("GET", "/v1/views/%s?limit=5" % bus.rows)
    assert c.ask("GET", "/v1/views/%s?limit=5" % bus.rows, {"If-None-Match": headers["ETag"]})[0] == 304
    # others get none, unless they ask; then with their label and nonce
    assert "Signature" not in plain.request("/v1/views/%s?limit=5" % bus.rows)[1]
    _, headers, _ = plain.request("/v1/whoami", headers={"Accept-Signature": 'mine=("@status");nonce="n1";tag="t"'})
    assert headers["Signature-Input"].startswith("mine=(") and ';nonce="n1"' in headers["Signature-Input"]
    assert headers["Signature"].startswith("mine=:")


def test_a_long_poll_is_signed_when_it_ends(bus):
    c, got = bus.client(), []
    first = json.loads(c.ask("GET", "/v1/views/%s/changes" % bus.rows)[2])
    while not first["up_to_date"]:
        first = json.loads(c.ask("GET", "/v1/views/%s/changes?after=%s" % (bus.rows, first["cursor"]))[2])
    t = threading.Thread(target=lambda: got.append(c.ask("GET", "/v1/views/%s/changes?wait=30&after=%s" % (bus.rows, first["cursor"]))))
    t.start()
    t.join(0.3)
    assert not got  # it waits
    bus.topic.put("p00", {"id": "p00", "kel": "k0", "jumlah": 1000})
    bus.topic.flush()
    t.join(60)
    assert [ch["row"]["jumlah"] for ch in json.loads(got[0][2])["changes"]] == [1000]
    assert json.loads(c.ask("GET", "/v1/views/%s/changes?wait=1&after=%s" % (bus.rows, json.loads(got[0][2])["cursor"]))[2])["changes"] == []


def test_what_was_bent_on_the_way_is_not_believed(bus):
    c = bus.client()
    request = c.sign("GET", "/v1/views/%s?limit=5" % bus.counts)
    answer = c.send(request, None)
    assert c.believe(answer)
    for bend in ("body", "status", "cursor", "question"):
        bent = centre.Answer(answer.status_code, dict(answer.headers.items()), answer.body, request)
        if bend == "body":
            bent.body = bent.body.replace(b"k1", b"k7", 1)
        elif bend == "status":
            bent.status_code = 404
        elif bend == "cursor":
            bent.headers["ETag"] = '"other"'
        else:
            bent.request = centre.Request("GET", c.url + "/v1/views/%s?limit=6" % bus.counts, request.headers)
        with pytest.raises(centre.Broken):
            c.believe(bent)


def refusal(bus, request, body=None, url=None):
    answer = bus.client().send(request, body)
    return answer.status_code, json.loads(answer.body).get("code"), json.loads(answer.body).get("detail")


def test_requests_are_taken_as_signed_and_not_otherwise(bus):
    c, path = bus.client(), "/v1/views/%s?limit=2" % bus.counts
    assert json.loads(c.ask("GET", "/v1/whoami")[2])["reader"] == "pusat"
    request = c.sign("GET", path)
    assert c.send(request, None).status_code == 200
    assert refusal(bus, request) == (401, "signature-invalid", "nonce: sudah dipakai / used before")
    # another path, another method, another key, an unknown reader
    request = c.sign("GET", path)
    request.url = request.url.replace("limit=2", "limit=3")
    assert refusal(bus, request)[1] == "signature-invalid"
    request = c.sign("GET", "/v1/exports")
    request.method = "POST"
    assert refusal(bus, request, b"{}")[1] == "signature-invalid"
    other = ed25519.Ed25519PrivateKey.generate()
    assert refusal(bus, bus.client(key=other).sign("GET", path))[1] == "signature-invalid"
    assert refusal(bus, bus.client(reader="uji").sign("GET", path))[:2] == (401, "key-missing")
    # too little covered; too old; in the future; of before this gateway
    now = datetime.datetime.now(datetime.timezone.utc)
    for age, cover, nonce, why in ((0, ["@method"], "a", "target-uri"), (0, ["@target-uri"], "b", "@method"),
                                   (400, ["@method", "@target-uri"], "c", "created"), (-60, ["@method", "@target-uri"], "d", "created"),
                                   (0, ["@method", "@target-uri"], None, "nonce")):
        request = centre.Request("GET", c.url + path, {})
        c.signer.sign(request, key_id="pusat", created=now - datetime.timedelta(seconds=age), nonce=nonce, covered_component_ids=cover)
        status, code, detail = refusal(bus, request)
        assert (status, code) == (401, "signature-invalid") and why in detail, (why, detail)
    # @path and @query do as well, with @authority: what was signed for another gateway is not good here
    request = centre.Request("GET", c.url + path, {})
    c.signer.sign(request, key_id="pusat", created=now, nonce="o", covered_component_ids=["@method", "@path", "@query"])
    assert refusal(bus, request)[1] == "signature-invalid"
    other = bus.client(c.url.replace("127.0.0.1", "localhost"))
    answer = other.send(other.sign("GET", path), None)
    assert answer.status_code == 401 and "another gateway" in json.loads(answer.body)["detail"]
    request = centre.Request("GET", c.url + path, {})
    c.signer.sign(request, key_id="pusat", created=now, nonce="p", covered_component_ids=["@method", "@path", "@query", "@authority"])
    assert c.send(request, None).status_code == 200
    # a body must be the one that was signed
    request = c.sign("POST", "/v1/exports", {"Content-Type": "application/json"}, b'{"view": "x"}')
    assert refusal(bus, request, b'{"view": "y"}')[1:] == ("signature-invalid", "Content-Digest")
    # in the shape of the path
    request = c.sign("GET", "/brokers")
    request.url += "?x"
    answer = c.send(request, None)
    said = json.loads(answer.body)
    assert (answer.status_code, said["error_code"], sorted(said)) == (401, 40101, ["error_code", "message"]) and said["message"].startswith("Unauthorized")
    assert answer.headers["Content-Type"] == "application/vnd.kafka.v2+json"


def test_a_key_alone_is_not_enough_where_signatures_are_a_must(bus):
    g = bus.gateway
    status, _, body = g.request("/v1/whoami", key=g.keys["pusat"])
    assert (status, json.loads(body)["code"]) == (401, "signature-missing")
    status, _, body = g.request("/api/3/action/package_list", key=g.keys["pusat"])
    assert status == 403
    assert g.request("/v1/whoami", key=g.keys["biasa"])[0] == 200
    # with both it may, and it is one reader
    c = bus.client()
    request = c.sign("GET", "/v1/whoami", {"Authorization": "Bearer " + g.keys["pusat"]})
    assert c.send(request, None).status_code == 200
    # a signature of one reader does not speak for another's key
    request = c.sign("GET", "/v1/whoami", {"Authorization": "Bearer " + g.keys["biasa"]})
    assert json.loads(c.send(request, None).body)["reader"] == "biasa"


def test_a_file_comes_in_pieces_each_with_its_digest(bus):
    c, whole, tag = bus.client(), b"", None
    while True:
        head = {"Range": "bytes=%d-%d" % (len(whole), len(whole) + 999), **({"If-Range": tag} if tag else {})}
        status, headers, body = c.ask("GET", "/v1/views/%s.ndjson" % bus.rows, head)
        assert status == 206 and headers["Content-Digest"] and headers["Repr-Digest"] and (tag is None or tag == headers["ETag"])
        tag, whole = headers["ETag"], whole + body
        if len(whole) == int(headers["Content-Range"].split("/")[1]):
            break
    assert headers["Repr-Digest"] == "sha-256=:%s:" % base64.b64encode(hashlib.sha256(whole).digest()).decode()
    rows = [json.loads(l) for l in whole.splitlines()]
    assert len(rows) == 60 and {r["rahasia"] for r in rows} == {"\u2022\u2022\u2022"}
    # Accept-Encoding: gzip does not spoil a piece
    status, headers, body = c.ask("GET", "/v1/views/%s.ndjson" % bus.rows, {"Range": "bytes=0-1999", "If-Range": tag, "Accept-Encoding": "gzip"})
    assert status == 206 and body == whole[:2000]


def acknowledge(bus, of, **more):
    """As the centre does, of what the view holds now; `more` overrides what it says."""
    c, cursor, rows = bus.client(), None, {}
    while True:
        answer = json.loads(c.ask("GET", "/v1/views/%s/changes?%s" % (of, "after=" + cursor if cursor else ""))[2])
        for change in answer["changes"]:
            rows[change["key"]] = change["row"]
        cursor = answer["cursor"]
        if answer["up_to_date"]:
            break
    digest = 0
    for row in rows.values():
        digest ^= int.from_bytes(hashlib.sha256(rfc8785.dumps(row)).digest(), "big")
    said = {"view": of, "cursor": cursor, "rows": len(rows), "digest": "%064x" % digest, **more}
    body = json.dumps({k: v for k, v in said.items() if v is not None}).encode()
    status, _, answer = c.ask("POST", "/v1/nasional/acknowledgements", {"Content-Type": "application/json"}, body)
    return status, json.loads(answer)


def test_an_acknowledgement_is_compared_recorded_and_shown(bus, apart):
    status, said = acknowledge(bus, bus.rows, as_of="2026-11-23T10:00:00+07:00", detail="beban harian")
    assert status == 201 and said["compared"] == "equal" and said["rows_here"] == said["rows"] == 60
    assert acknowledge(bus, bus.counts, digest=None)[1]["compared"] == "equal"  # by rows alone
    assert acknowledge(bus, bus.counts, rows=None, digest=None)[1]["why"] == "nothing-to-compare"
    # one row that is not ours
    errors = bus.gateway.log().count("national.different")
    wrong = acknowledge(bus, bus.counts, digest="0" * 64)[1]
    assert wrong["compared"] == "different" and wrong["digest_here"] != "0" * 64
    assert acknowledge(bus, bus.counts, rows=2)[1]["compared"] == "different"
    assert bus.gateway.log().count("national.different") == errors + 2
    assert bus.gateway.metric('titian_national_acknowledgements_total{result="different"}') == 2
    # its own, and everybody's; the offer has the newest
    mine = json.loads(bus.client().ask("GET", "/v1/nasional/acknowledgements?view=" + bus.rows)[2])
    assert mine == [said]
    assert bus.gateway.request("/v1/nasional/acknowledgements", key=bus.gateway.keys["biasa"])[2] == b"[]"
    everybodys = bus.gateway.get("/v1/nasional/acknowledgements?reader=pusat")
    assert len(everybodys) == 5 and everybodys[-1] == said
    offer = json.loads(bus.client().ask("GET", "/v1/nasional")[2])
    assert offer["signatures"]["requests"] == "required" and offer["signatures"]["answers"] is True
    told = {d["view"]: d for d in offer["datasets"]}
    assert set(told) == {bus.rows, bus.counts}
    assert told[bus.rows]["acknowledged"] == said and told[bus.rows]["behind"] is False and told[bus.rows]["key"] == "id"
    assert told[bus.counts]["acknowledged"]["compared"] == "different"
    # it is in Kafka, as it was answered, under the reader's and the view's name
    consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "uji", "enable.auto.commit": False})
    consumer.assign([TopicPartition("_uji_ack1", 0, 0)])
    first = consumer.poll(20)
    consumer.close()
    assert first.key().decode() == "pusat|" + bus.rows and json.loads(first.value()) == said


def test_what_has_changed_since_is_not_compared(bus):
    c, path = bus.client(), "/v1/views/%s/changes" % bus.rows
    cursor = json.loads(c.ask("GET", path)[2])["cursor"]
    bus.topic.put("p01", {"id": "p01", "kel": "k1", "jumlah": 4711})
    bus.topic.flush()
    wait_for(lambda: json.loads(c.ask("GET", "/v1/views/%s/p01" % bus.rows)[2])["jumlah"] == 4711, 20, "the change")
    said = acknowledge(bus, bus.rows, cursor=cursor)[1]
    assert (said["compared"], said["why"]) == ("unknown", "changed-since") and "digest_here" not in said
    wait_for(lambda: bus.gateway.metric('titian_national_behind{reader="pusat",view="%s"}' % bus.rows) == 1, 10, "the gauge")
    assert acknowledge(bus, bus.rows)[1]["compared"] == "equal"
    wait_for(lambda: bus.gateway.metric('titian_national_behind{reader="pusat",view="%s"}' % bus.rows) == 0, 10, "the gauge")
    # what is rejected is recorded, and makes the mirror one that is behind
    status, said = acknowledge(bus, bus.rows, status="rejected", detail="kolom tidak dikenal", rows=None, digest=None)
    assert status == 201 and said["status"] == "rejected" and said["compared"] == "unknown"
    wait_for(lambda: bus.gateway.metric('titian_national_behind{reader="pusat",view="%s"}' % bus.rows) == 1, 10, "the gauge")


@pytest.mark.parametrize("more,status,code", [
    ({"view": "tidak_ada"}, 404, "view-unknown"), ({"view": None}, 400, "parameter-invalid"),
    ({"cursor": "x"}, 400, "cursor-invalid"), ({"cursor": None}, 400, "cursor-invalid"),
    ({"rows": -1}, 400, "parameter-invalid"), ({"digest": "ab"}, 400, "parameter-invalid"),
    ({"status": "hilang"}, 400, "parameter-invalid"), ({"detail": "NIK 1471012345678901"}, 400, "parameter-invalid"),
    ({"detail": "x" * 501}, 400, "parameter-invalid"), ({"lain": 1}, 400, "parameter-invalid")])
def test_an_acknowledgement_that_says_nothing_is_refused(bus, more, status, code):
    got, answer = acknowledge(bus, bus.counts, **more)
    assert (got, answer["code"]) == (status, code)


def test_acknowledgements_outlive_the_gateway(bus):
    before = bus.gateway.get("/v1/nasional/acknowledgements?limit=1000")
    bus.gateway.kill()
    bus.gateway.start()
    wait_for(lambda: bus.gateway.request("/v1/nasional/acknowledgements")[0] == 200, 20, "the topic to be read")
    assert before and bus.gateway.get("/v1/nasional/acknowledgements?limit=1000") == before
    # a signature of before this gateway's start is not taken: its nonces are forgotten
    request = centre.Request("GET", bus.gateway.url + "/v1/whoami", {})
    old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=60)
    bus.client().signer.sign(request, key_id="pusat", created=old, nonce="lama", covered_component_ids=["@method", "@target-uri"])
    assert refusal(bus, request)[1] == "signature-invalid"
