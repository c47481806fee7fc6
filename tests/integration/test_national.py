"""The national profile: signatures both ways, by another implementation of RFC 9421; acknowledgements; a month of days in
which a stub of the centre (centre.py) keeps a mirror over a bad line, equal to the truth every evening.

    NATIONAL_SEEDS=5 NATIONAL_DAYS=30 NATIONAL_SEED=1    make soak-national; a failure names its seed
"""
import base64
import datetime
import gzip
import hashlib
import json
import urllib.request

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import centre
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
                                  more="publish: {topic: _uji_pub%d}\n" % n).start()
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
    from conftest import wait_for
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
    import threading
    c, got = bus.client(), []
    first = json.loads(c.ask("GET", "/v1/views/%s/changes" % bus.rows)[2])
    while not first["up_to_date"]:
        first = json.loads(c.ask("GET", "/v1/views/%s/changes?after=%s" % (bus.rows, first["cursor"]))[2])
    t = threading.Thread(target=lambda: got.append(c.ask("GET", "/v1/views/%s/changes?wait=30&after=%s" % (bus.rows, first["cursor"]))))
    centre.TIMEOUT = 40
    t.start()
    t.join(0.3)
    assert not got  # it waits
    bus.topic.put("p00", {"id": "p00", "kel": "k0", "jumlah": 1000})
    bus.topic.flush()
    t.join(20)
    centre.TIMEOUT = 5
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
    # @path and @query do as well
    request = centre.Request("GET", c.url + path, {})
    c.signer.sign(request, key_id="pusat", created=now, nonce="p", covered_component_ids=["@method", "@path", "@query", "@authority"])
    assert c.send(request, None).status_code == 200
    # a body must be the one that was signed
    request = c.sign("POST", "/v1/exports", {"Content-Type": "application/json"}, b'{"view": "x"}')
    assert refusal(bus, request, b'{"view": "y"}')[1:] == ("signature-invalid", "Content-Digest")


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
