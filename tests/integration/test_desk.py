"""The officers' desk over HTTP: rows in quarantine and orders for them, by whose token it is; the adapter's state.

What stands in the topics is read by Confluent's consumer and fastavro; answers are held against adapters/office/openapi.yaml by
openapi-schema-validator."""
import hashlib
import http.client
import json
import urllib.parse
import uuid

import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from conftest import ROOT, WORK, free_ports, wait_for
from own_adapter import BIN, OwnAdapter

OPD = "loket"
WARGA = {"type": "record", "namespace": "id.go.pekanbaru.uji", "doc": "Uji", "x_jenis": "register", "x_kunci": "kode", "fields": [
    {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
    {"name": "nama", "type": "string", "doc": "Nama", "x_pdp": "U"},
    {"name": "jumlah", "type": "long", "doc": "Jumlah", "x_pdp": "N"}]}
MAPPING = """feed: loket_%(name)s
files: ["%(name)s*.csv"]
topic: pku.loket.%(name)s.v1
kind: register
source: {kind: delimited}
values:
  kode: {from: kode}
  nama: {from: nama, as: clean}
  jumlah: {from: jumlah, as: whole}
checks:
  - {class: nama_kosong, fate: refuse, when: {missing: nama}}
  - {class: jumlah_salah, fate: refuse, when: {bad: jumlah, missing: jumlah}}
key: kode
fields: {kode: kode, nama: nama, jumlah: jumlah}
"""
OPENAPI = yaml.safe_load((ROOT / "adapters/office/openapi.yaml").read_text())


def resolve(node):
    """The schema with every $ref in its place."""
    if isinstance(node, dict) and "$ref" in node:
        found = OPENAPI
        for part in node["$ref"].lstrip("#/").split("/"):
            found = found[part]
        return resolve(found)
    if isinstance(node, dict):
        return {k: resolve(v) for k, v in node.items()}
    return [resolve(v) for v in node] if isinstance(node, list) else node


def route_of(path):
    """The document's path of a request's: a literal one before one with parts."""
    asked = urllib.parse.urlsplit(path).path.split("/")
    fits = [p for p in OPENAPI["paths"] if len(p.split("/")) == len(asked)
            and all(a == b or b.startswith("{") for a, b in zip(asked, p.split("/")))]
    return min(fits, key=lambda p: p.count("{")) if fits else None


class Desk(OwnAdapter):
    tried = set()

    def __init__(self, apart):
        self.port = free_ports(1)
        self.token = {who: uuid.uuid4().hex for who in ("sari", "budi")}
        more = "desk: {address: 127.0.0.1, port: %d, tokens: %s}" % (self.port, WORK / ("adapter-" + OPD) / "tokens")
        super().__init__(apart, OPD, {n: dict(WARGA, name=n.capitalize()) for n in ("warga", "usaha")},
                         {n + ".yaml": MAPPING % {"name": n} for n in ("warga", "usaha")}, partitions=2, more=more)
        path = self.dir / "tokens"
        path.write_text("".join("%s %s %s\n" % (who, feeds, hashlib.sha256(self.token[who].encode()).hexdigest())
                                for who, feeds in (("sari", "*"), ("budi", "loket_usaha"))))
        path.chmod(0o600)

    def ask(self, method, path, body=None, who="sari", **headers):
        """Status, headers, answer; which is what the document says."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if who:
                headers["Authorization"] = "Bearer " + self.token.get(who, who)
            link.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body),
                         {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = link.getresponse()
            told = json.loads(answer.read())
        finally:
            link.close()
        route = route_of(path)
        if route:
            self.tried.add((method, route))
            said = resolve(OPENAPI["paths"][route][method.lower()]["responses"][str(answer.status)])["content"]
            OAS31Validator(said[answer.headers["Content-Type"].split(";")[0]]["schema"]).validate(told)
        return answer.status, answer.headers, told

    def get(self, path, **more):
        status, _, told = self.ask("GET", path, **more)
        assert status == 200, told
        return told

    def give(self, path, body=None, **more):
        """An order, waited for: its state and report."""
        status, headers, told = self.ask("POST", path, body, **more)
        assert status == 202 and headers["Location"] == "/v1/orders/" + told["order"], told
        return wait_for(lambda: (o := self.get(headers["Location"]))["state"] != "waiting" and o, 30, "the order")

    def csv(self, name, rows):
        data = ("kode,nama,jumlah\n" + "".join(",".join(r) + "\n" for r in rows)).encode()
        self.drop(name, data)
        wait_for(lambda: (self.dir / "drop/done" / name).exists(), 30, name + " to be read")
        return hashlib.sha256(data).hexdigest()[:16]


@pytest.fixture(scope="module")
def desk(apart):
    own = Desk(apart).start()
    yield own
    own.stop()
    assert "RAHASIA" not in own.log()


def test_the_document_is_valid():
    validate(OPENAPI)


def test_pages_hold_every_row_once_and_a_token_sees_its_feeds_alone(desk):
    for n in range(3):
        desk.csv("warga-%d.csv" % n, [("W%d%d" % (n, i), "RAHASIA", "x") for i in range(7)])
    desk.csv("usaha-0.csv", [("U1", "", "4")])
    seen, path = [], "/v1/quarantine?limit=5"
    while path:
        page = desk.get(path)
        assert len(page["rows"]) == 5 or not page["next"]
        seen += page["rows"]
        path = page["next"] and "/v1/quarantine?limit=5&after=" + urllib.parse.quote(page["next"])
    by_command = desk.run(BIN / "titian", "quarantine", "list", "--config", desk.conf, "--json").stdout.splitlines()
    assert len(seen) == 22 and [r["waktu"] for r in seen] == sorted(r["waktu"] for r in seen)
    assert sorted(map(json.loads, by_command), key=lambda r: r["id"]) == sorted(seen, key=lambda r: r["id"])
    assert len(desk.get("/v1/quarantine?class=nama_kosong")["rows"]) == 1
    mine = desk.get("/v1/quarantine", who="budi")["rows"]
    assert [r["umpan"] for r in mine] == ["loket_usaha"]
    hidden = next(r["id"] for r in seen if r["umpan"] == "loket_warga")
    assert desk.ask("GET", "/v1/quarantine/" + hidden, who="budi")[0] == 404
    assert desk.ask("POST", "/v1/quarantine/redrive", {"ids": [hidden]}, who="budi")[0] == 404
    assert [f["feed"] for f in desk.get("/v1/status", who="budi")["feeds"]] == ["loket_usaha"]


def test_values_are_shown_on_demand_and_who_asked_is_logged(desk):
    row = desk.csv("warga-p.csv", [("P1", "RAHASIA SITI", "x9")]) + ":2"
    shown = desk.get("/v1/quarantine/" + row)
    assert "RAHASIA" not in json.dumps(shown) and "x9" not in json.dumps(shown)
    assert {c["name"] for c in shown["columns"]} == {"kode", "nama", "jumlah"} and all(c["filled"] for c in shown["columns"])
    assert "desk.personal_shown" not in desk.log()
    clear = desk.get("/v1/quarantine/%s?show_personal=true" % row)
    assert clear["row"] == "P1,RAHASIA SITI,x9" and {c["name"]: c["value"] for c in clear["columns"]}["nama"] == "RAHASIA SITI"
    logged = [l for l in desk.log().splitlines() if "desk.personal_shown" in l]
    assert len(logged) == 1 and "who=sari" in logged[0] and row in logged[0]


def test_mended_published_and_discarded_by_the_tokens_owner(desk):
    sha = desk.csv("warga-m.csv", [("M1", "RAHASIA", "x"), ("M2", "", "2"), ("M3", "", "3")])
    one = "/v1/quarantine/%s:2" % sha
    assert desk.give(one + "/redrive", {"why": "coba"})["state"] == "in_part"  # still no number
    assert desk.give(one + "/mend", {"set": {"jumlah": "12"}, "why": "salah ketik"})["state"] == "done"
    assert desk.give("/v1/quarantine/redrive", {"ids": [sha + ":2"]})["state"] == "done"
    assert desk.give("/v1/quarantine/mend", {"ids": [sha + ":3"], "set": {"nama": "RAHASIA DUA"}, "redrive": True})["state"] == "done"
    assert desk.fold("warga")["M1"]["jumlah"] == 12 and desk.fold("warga")["M2"]["nama"] == "RAHASIA DUA"
    history = desk.get(one + "/history")["history"]
    assert [(h["tindakan"], h.get("oleh"), h["keadaan"]) for h in history] == [
        (None, None, "TERBUKA"), ("terbitkan", "sari", "TERBUKA"), ("perbaiki", "sari", "TERBUKA"), ("terbitkan", "sari", "TERBIT")]
    kept = [r.value for r in desk.records("karantina") if r.key == sha + ":2" and r.value["tindakan"]]
    assert [(k["oleh"], k["alasan"]) for k in kept] == [("sari", "coba"), ("sari", "salah ketik"), ("sari", None)]
    status, _, counted = desk.ask("POST", "/v1/quarantine/discard", {"file": "warga-m.csv", "why": "baris uji", "dry_run": True})
    assert status == 200 and counted == {"what": "discard", "order": None, "rows": 1}
    assert desk.give("/v1/quarantine/%s:4/discard" % sha, {"why": "baris uji"})["state"] == "done"
    assert desk.get("/v1/quarantine?file=warga-m.csv&state=DIBUANG")["rows"][0]["alasan"] == "baris uji"
    assert desk.get("/v1/quarantine?file=warga-m.csv")["rows"] == []
    rows = [desk.csv("usaha-d%d.csv" % i, [("D%d" % i, "", "1")]) + ":2" for i in range(2)]
    assert desk.give("/v1/quarantine/discard", {"ids": rows, "why": "ganda"}, who="budi")["state"] == "done"


def test_the_same_key_is_one_order_over_a_restart(desk):
    sha = desk.csv("warga-k.csv", [("K1", "RAHASIA", "x")])
    path, body, key = "/v1/quarantine/%s:2/redrive" % sha, {"why": "kunci"}, "kunci-1"
    first = desk.ask("POST", path, body, Idempotency_Key=key)
    wait_for(lambda: desk.get("/v1/orders/" + first[2]["order"])["state"] != "waiting", 30, "the order")
    again = desk.ask("POST", path, body, Idempotency_Key=key)
    assert again[2] == first[2] and again[1]["Idempotency-Replayed"] == "true" and first[1]["Idempotency-Replayed"] is None
    assert desk.ask("POST", path, {"why": "lain"}, Idempotency_Key=key)[0] == 422
    desk.kill()
    desk.start()
    assert desk.ask("POST", path, body, Idempotency_Key=key)[2] == first[2]
    done = [r for r in desk.records("karantina") if r.key == sha + ":2" and r.value["tindakan"]]
    assert len(done) == 1


@pytest.mark.parametrize("method, path, body, who, status", [
    ("GET", "/v1/status", None, None, 401),
    ("GET", "/v1/quarantine", None, "bukan-token", 401),
    ("POST", "/v1/quarantine/redrive", {"all": True}, None, 401),
    ("GET", "/v1/quarantine?limit=0", None, "sari", 400),
    ("GET", "/v1/quarantine?since=kemarin", None, "sari", 400),
    ("GET", "/v1/quarantine?after=x", None, "sari", 400),
    ("GET", "/v1/quarantine?nik=1", None, "sari", 400),
    ("GET", "/v1/quarantine?class=a&class=b", None, "sari", 400),
    ("GET", "/v1/quarantine/tidak-ada/history?show_personal=true", None, "sari", 400),
    ("GET", "/v1/quarantine/tidak-ada", None, "sari", 404),
    ("GET", "/v1/quarantine/tidak-ada/history", None, "sari", 404),
    ("GET", "/v1/orders/..%2F..%2Fadapter.yaml", None, "sari", 404),
    ("GET", "/v1/orders/x.perintah", None, "sari", 404),
    ("POST", "/v1/quarantine/discard?dry_run=true", {"all": True, "why": "hanya dihitung"}, "sari", 400),
    ("POST", "/v1/quarantine/discard", {"all": True, "why": "dibuang, bukan diterbitkan", "redrive": True}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", b"{", "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"who": "orang lain", "all": True}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"all": "ya"}, "sari", 400),
    ("POST", "/v1/quarantine/discard", {"all": True}, "sari", 400),
    ("POST", "/v1/quarantine/discard", {"all": True, "why": "a\nb"}, "sari", 400),
    ("POST", "/v1/quarantine/discard", {"all": True, "why": "a" * 256}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"ids": []}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"ids": [1]}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"ids": ["x"] * 65}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"ids": ["x\0y"]}, "sari", 400),
    ("POST", "/v1/quarantine/redrive", b'{"all": ' + b"[" * 100000 + b"]" * 100000 + b"}", "sari", 400),
    ("POST", "/v1/quarantine/redrive", b'{"all": true, "all": false, "\xff": 1}', "sari", 400),
    ("POST", "/v1/quarantine/redrive", {"set": {"a": "b"}, "all": True}, "sari", 400),
    ("POST", "/v1/quarantine/mend", {"all": True, "set": {str(i): "b" for i in range(65)}}, "sari", 400),
    ("POST", "/v1/quarantine/mend", {"all": True, "set": {"a": {"b": "c"}}}, "sari", 400),
    ("POST", "/v1/quarantine/x/mend", {"redrive": True}, "sari", 400),
    ("POST", "/v1/quarantine/x/mend", {"ids": ["y"], "set": {"a": "b"}}, "sari", 400),
])
def test_refused_in_both_languages_with_a_way_out(desk, method, path, body, who, status):
    was, headers, told = desk.ask(method, path, body, who=who)
    assert was == status and " / " in told["title"] and told["hint"], told
    assert headers["Cache-Control"] == "no-store"


def test_every_route_of_the_document_was_tried(desk):
    documented = {(m.upper(), p) for p, item in OPENAPI["paths"].items() for m in item if m in ("get", "post")}
    assert documented == desk.tried, documented ^ desk.tried
