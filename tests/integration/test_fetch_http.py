"""Rows from an address that answers in JSON, with the paging and the troubles that public APIs have. The server is the test's
own and says exactly what it gave; what stands on the topic is read by Confluent's consumer and fastavro."""
import base64
import http.server
import json
import socket
import threading
import time
import urllib.parse

import pytest

from conftest import ROOT, wait_for
from own_adapter import OwnAdapter
from test_fetch_sql import UNIT, mapping, same


class Office:
    """Rows in order; troubles: {path: [function of the handler that may answer instead, and is then used up]}."""

    def __init__(self):
        self.rows, self.trouble, self.asked, self.tokens, self.etags = [], {}, [], 0, True
        office = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def say(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k.replace("_", "-"), v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def json(self, value, **headers):
                self.say(200, json.dumps(value, ensure_ascii=False).encode(), Content_Type="application/json", **headers)

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                office.asked.append((self.path, dict(self.headers)))
                left = office.trouble.get(url.path)
                if left and left.pop(0)(self):
                    return
                getattr(office, url.path.strip("/").replace("-", "_"))(self, dict(urllib.parse.parse_qsl(url.query)))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                office.asked.append((self.path, dict(self.headers), body))
                office.token(self, body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port

    def slice(self, q, size=100):
        start = int(q.get("offset") or (int(q["page"]) - 1) * size if "page" in q else q.get("offset") or q.get("c") or 0)
        return start, self.rows[start:start + size]

    def link(self, h, q):
        start, rows = self.slice(q)
        more = {"Link": '</link?offset=0>; rel="first", </link?a=%%2C&offset=%d>; title="a, b"; rel="next"' % (start + 100)} if start + 100 < len(self.rows) else {}
        h.json(rows, **more)

    def next(self, h, q):
        start, rows = self.slice(q)
        h.json({"meta": {"next": "?offset=%d" % (start + 100) if start + 100 < len(self.rows) else None}, "data": rows})

    def cursor(self, h, q):
        start, rows = self.slice(q)
        h.json({"data": rows, "paging": {"c": str(start + 100) if start + 100 < len(self.rows) else ""}})

    def number(self, h, q):
        h.json({"total": len(self.rows), "items": self.slice(q)[1]})

    def offset(self, h, q):
        h.json({"total": len(self.rows), "items": self.slice(q)[1]})

    def plain(self, h, q):
        tag = '"%d"' % hash(json.dumps(self.rows))
        if h.headers.get("If-None-Match") == tag:
            return h.say(304)
        h.json(self.rows, ETag=tag)

    def since(self, h, q):
        h.json([r for r in self.rows if r["diubah"] > q["since"]])

    def secret(self, h, q):
        want = {"basic": "Basic " + base64.b64encode(b"dinas:kata sandi").decode(), "oauth": "Bearer kunci-%d" % self.tokens}[q["by"]]
        if h.headers.get("Authorization") != want:
            return h.say(401)
        h.json(self.rows)

    def key(self, h, q):
        h.json(self.rows) if h.headers.get("X-API-Key") == "rahasia-1" else h.say(403)

    def token(self, h, body):
        form = urllib.parse.parse_qs(body)
        who = "Basic " + base64.b64encode(b"titian:rahasia").decode()
        if h.headers["Authorization"] != who or form != {"grant_type": ["client_credentials"], "scope": ["rekam baca"]}:
            return h.say(401)
        self.tokens += 1
        h.json({"access_token": "kunci-%d" % self.tokens, "token_type": "Bearer", "expires_in": 9223372036854775807})


@pytest.fixture
def office():
    made = Office()
    made.rows = [{"kode": "U%04d" % i, "nama": "Unit %d \u00e9\U0001f54c" % i, "jumlah": i} for i in range(930)]
    yield made
    made.server.shutdown()
    made.server.server_close()


def table(office):
    return [(r["kode"], r["nama"], r["jumlah"]) for r in office.rows]


def adapter(apart, opd, fetch, complete="true"):
    text = mapping(opd, "kind: http\nevery: 1s\n" + fetch, complete)["unit.yaml"]
    return OwnAdapter(apart, opd, {"unit": UNIT}, {"unit.yaml": text})


def cut(h):
    """Half an answer, then nothing more."""
    h.send_response(200)
    h.send_header("Content-Length", "100000")
    h.end_headers()
    h.wfile.write(b'{"data": [{"kode": "SETENGAH"')
    h.wfile.flush()
    h.connection.shutdown(socket.SHUT_RDWR)
    h.close_connection = True
    return True


def says(status, **headers):
    return lambda h: h.say(status, **headers) or True


WAYS = {
    "link": "page: {by: link}",
    "next": "rows: data\npage: {by: next, at: meta.next}",
    "cursor": "rows: data\npage: {by: cursor, at: paging.c, parameter: c}",
    "number": "rows: items\ntotal: total\npage: {by: number, parameter: page}",
    "offset": "rows: items\ntotal: total\npage: {by: offset, parameter: offset}",
}


def several(apart, opd, fetches):
    """One adapter, a feed and a topic for each of {entity: options}."""
    maps = {}
    for entity, fetch in fetches.items():
        maps.update(mapping(opd, "kind: http\nevery: 1s\n" + fetch, entity=entity))
    return OwnAdapter(apart, opd, {entity: dict(UNIT, name=entity.capitalize()) for entity in fetches}, maps)


def test_every_page_once_through_the_usual_troubles(apart, office):
    fine = lambda h: False  # noqa: E731
    for way in WAYS:
        office.trouble["/" + way] = [fine, says(503), fine, says(429, Retry_After="1"), cut, fine, says(500), says(502), fine]
    own = several(apart, "httphalaman", {way: "url: %s/%s\n%s" % (office.url, way, options) for way, options in WAYS.items()}).start()
    try:
        for way in WAYS:
            wait_for(lambda: same(own, table(office), way), 40, "the rows by " + way)
            assert office.trouble["/" + way] == []
            assert "SETENGAH" not in {r.key for r in own.records(way)}
        assert "adapter.fetch_failed" not in own.log(), "troubles that pass are no failure of the fetch"
        office.rows[0]["nama"] = "Baru"
        for way in WAYS:
            wait_for(lambda: same(own, table(office), way), 40, "the change by " + way)
            assert len(own.records(way)) == 930 + 1
    finally:
        own.stop()


def test_a_set_that_changes_while_it_is_paged_is_fetched_anew(apart, office):
    def shrink(h):
        del office.rows[0:5]  # rows move to the page before, and one is not seen
        return False
    office.trouble["/offset"] = [lambda h: False, lambda h: False, shrink]
    own = adapter(apart, "httpgeser", "url: %s/offset\nrows: items\ntotal: total\npage: {by: offset, parameter: offset}" % office.url).start()
    try:
        wait_for(lambda: "the set changed while it was read" in own.log(), 20, "the change noticed")
        wait_for(lambda: same(own, table(office)), 40, "the rows on the topic")
        assert len(own.records("unit")) == len(office.rows), "none of the first set was published"
    finally:
        own.stop()


WRONG = {
    "lingkar": ({"data": [{"kode": "A"}], "meta": {"next": "/lingkar"}}, "goes round in circles"),
    "jauh": ({"data": [{"kode": "A"}], "meta": {"next": "https://data.example.org/2"}}, "on another machine"),
    "objek": ({"data": {"kode": "A"}, "meta": {}}, "rows: data is no list"),
    "html": ("<html>", "the page is not JSON"),
    "pindah": (302, "the server answers 302; it leads elsewhere"),
    "hilang": (404, "the server answers 404; look at the url"),
    "tanpaakhir": (None, "over 1 MiB in one fetch, and no end"),
}


def test_what_cannot_be_right_is_told_and_publishes_nothing(apart, office):
    for name, (answer, _) in WRONG.items():
        setattr(office, name, lambda h, q, a=answer: h.say(a, Location="http://127.0.0.1:1/") if isinstance(a, int) else
                h.say(200, a.encode()) if isinstance(a, str) else h.json(a))
    office.tanpaakhir = lambda h, q: h.json({"data": [{"kode": "A", "nama": "x" * 300000}], "meta": {"next": "?n=%d" % (int(q.get("n", 0)) + 1)}})
    own = several(apart, "httpjahat", {n: "max_mb: 1\nurl: %s/%s\nrows: data\npage: {by: next, at: meta.next}" % (office.url, n) for n in WRONG}).start()
    try:
        for name, (_, words) in WRONG.items():
            wait_for(lambda: [l for l in own.log().splitlines() if "httpjahat_" + name in l and words in l], 20, words)
            assert own.records(name) == []
        assert not list((own.dir / "drop").glob("httpjahat*"))
    finally:
        own.stop()


def test_nothing_new_is_said_by_the_etag(apart, office):
    own = adapter(apart, "httpetag", "url: %s/plain" % office.url).start()
    try:
        wait_for(lambda: same(own, table(office)), 30, "the rows")
        wait_for(lambda: sum("If-None-Match" in a[1] for a in office.asked) >= 2, 20, "two conditional requests")
        files = len(own.records("berkas"))
        office.rows[5]["nama"] = "Lain"
        wait_for(lambda: same(own, table(office)), 30, "the change")
        assert len(own.records("berkas")) > files
    finally:
        own.stop()


def test_since_a_mark(apart, office):
    for i, r in enumerate(office.rows):
        r["diubah"] = "2025-01-%02dT08:00:00" % (i % 28 + 1)
    own = adapter(apart, "httpsejak", "url: %s/since?since={since}&x=1\nmark: {column: diubah, type: time, overlap: 24h}" % office.url,
                  complete="false").start()
    try:
        wait_for(lambda: same(own, table(office)), 30, "the rows")
        office.rows[3].update(nama="Baru", diubah="2025-02-01T09:00:00")
        wait_for(lambda: same(own, table(office)), 30, "the change")
        assert len(own.records("unit")) == 931
        wait_for(lambda: "since=2025-01-31T09%3A00%3A00.000000&x=1" in office.asked[-1][0], 10, "a day before the mark")
    finally:
        own.stop()


@pytest.mark.parametrize("by, options", [
    ("basic", "user: dinas\npassword_file: {keys}/rahasia"),
    ("oauth", "oauth2: {{url: {url}/token, client_id: titian, secret_file: {keys}/rahasia, scope: rekam baca}}"),
    ("key", "api_key: {{header: X-API-Key, file: {keys}/rahasia}}"),
])
def test_secrets_come_from_files_and_are_told_nowhere(apart, office, by, options, tmp_path):
    secret = {"basic": "kata sandi", "oauth": "rahasia", "key": "rahasia-1"}[by]
    (tmp_path / "rahasia").write_text(secret + "\n")
    (tmp_path / "rahasia").chmod(0o600)
    path = "/key" if by == "key" else "/secret?by=" + by
    own = adapter(apart, "http" + by, ("url: %s%s\n" % (office.url, path)) + options.format(keys=tmp_path, url=office.url)).start()
    try:
        wait_for(lambda: same(own, table(office)), 30, "the rows")
        if by == "oauth":
            assert office.tokens == 1, "a token is used as long as it lasts"
            office.tokens += 1  # the one that was given is worth nothing now
            office.rows[0]["nama"] = "Baru"
            wait_for(lambda: same(own, table(office)) or office.tokens > 5, 30, "the rows, with a fresh token")
            assert office.tokens <= 5
        assert secret not in own.log() and "kunci-" not in own.log()
    finally:
        own.stop()
        (tmp_path / "rahasia").unlink()


def test_a_secret_does_not_go_to_another_machine_in_clear(apart, tmp_path):
    (tmp_path / "rahasia").write_text("x\n")
    (tmp_path / "rahasia").chmod(0o600)
    own = adapter(apart, "httpterang", "url: http://192.0.2.1/x\napi_key: {header: X-API-Key, file: %s/rahasia}" % tmp_path).start()
    try:
        wait_for(lambda: "without TLS" in own.log(), 10, "the refusal")
    finally:
        own.stop()


def test_a_stop_does_not_wait_for_a_server_that_does_not_answer(apart, office):
    held = threading.Event()
    office.trouble["/plain"] = [lambda h: held.wait(60) or True]
    own = adapter(apart, "httpdiam", "url: %s/plain" % office.url).start()
    wait_for(lambda: office.asked, 20, "the request")
    began = time.monotonic()
    own.stop()
    held.set()
    assert time.monotonic() - began < 15 and own.process.returncode == 0


@pytest.mark.parametrize("fetch, says_", [
    ("url: ftp://x/", "url: an address with https:// or http://"),
    ("url: https://x/?since={since}", "belong together"),
    ("url: https://x/\npage: {by: nomor}", "by: link, next, cursor, number or offset; not 'nomor'"),
    ("url: https://x/\nheaders: {Authorization: abc}", "a secret does not belong here"),
    ("url: https://x/\nuser: a\npassword_file: /x\ntoken_file: /y", "not several"),
    ("url: https://x/\npause: 2h", "pause: up to 60s"),
])
def test_a_mistake_is_told_with_its_place(apart, mistaken, fetch, says_):
    (mistaken.dir / "map/unit.yaml").write_text(mapping("httpsalah", "kind: http\nevery: 1m\n" + fetch)["unit.yaml"])
    done = mistaken.run(ROOT / "build/release/bin/titian-adapter", "check", "--config", mistaken.conf, check=False)
    assert done.returncode == 2 and says_ in done.stderr and "unit.yaml:" in done.stderr, done.stderr


@pytest.fixture(scope="module")
def mistaken(apart):
    return OwnAdapter(apart, "httpsalah", {"unit": UNIT}, mapping("httpsalah", "kind: http"))


SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>'


def test_a_soap_service_is_asked_and_its_fault_is_told(apart, office, tmp_path):
    ask = SOAP % "<GetUnit><jenis>SEMUA</jenis></GetUnit>"
    (tmp_path / "tanya.xml").write_text(ask)
    asked, answers = [], [(500, SOAP % "<s:Fault><faultcode>s:Client</faultcode><faultstring>NIK 1471080101900001 tidak berhak</faultstring></s:Fault>"),
                          (503, "<html>sebentar</html>")]

    def token(h, body):  # any POST comes here
        asked.append((h.headers["SOAPAction"], h.headers["Content-Type"], body))
        status, text = answers.pop(0) if answers else (200, SOAP % ("<r xmlns='urn:unit'>" + "".join(
            "<unit kode='%s'><nama>%s</nama><jumlah>%d</jumlah></unit>" % r for r in table(office)) + "</r>"))
        h.say(status, text.encode())
    office.token = token
    text = mapping("httpsoap", "kind: http\nevery: 1s\nurl: %s/soap\nanswer: xml\nbody_file: %s\nheaders: {SOAPAction: '\"urn:GetUnit\"'}"
                   % (office.url, tmp_path / "tanya.xml"))["unit.yaml"]
    text = text.replace("source: {kind: jsonl}", "source: {kind: xml, rows: '/s:Envelope/s:Body/r/u:unit', namespaces: {s: 'http://schemas.xmlsoap.org/soap/envelope/', u: 'urn:unit'}}")
    own = OwnAdapter(apart, "httpsoap", {"unit": UNIT}, {"unit.yaml": text.replace("{from: kode}", "{from: '@kode'}")}).start()
    try:
        wait_for(lambda: same(own, table(office)), 40, "the rows")
        failed = [line for line in own.log().splitlines() if "fetch_failed" in line]
        assert len(failed) == 1 and "SOAP Fault (500): s:Client: NIK ################ tidak berhak" in failed[0]
        assert asked[0] == ('"urn:GetUnit"', "text/xml; charset=utf-8", ask)
    finally:
        own.stop()
