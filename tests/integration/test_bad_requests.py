"""Bad input on every endpoint of the gateway and of the registry: too much, too long, too deep, packed, malformed, slow. Each
is refused with its exact status in the endpoint's own words, within bounds of time, bytes and memory; then the same
process answers as before. The gateway's routes are those of its OpenAPI document; the registry's, those that rights are
asked for (schemas/registry/rights.c). Request smuggling: tests/unit/test_http_attacks.c."""
import base64
import collections
import gzip
import json
import re
import signal
import socket
import threading
import time
import urllib.request
import zlib

import pytest

import test_registry
from attacker import gigabyte, head, say, whole
from conftest import ROOT
from own_gateway import OwnGateway, Topic

TOPIC = "pku.uji.serang.v1"
SCHEMA = {"type": "record", "name": "Serang", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id", "fields": [
    {"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": "long", "x_pdp": "N"},
    {"name": "tanda", "type": {"type": "array", "items": "string"}, "default": [], "x_pdp": "N"}]}
VIEW = """/*---
name: serang
key: id
routes: {uji_serang: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM uji_serang
"""
POLICY = """readers:
  uji: {status: true, define: true, views: {"*": {}}, topics: {"*": {}}, publish: {%s: {}}, groups: [serang]}
""" % TOPIC
TEXT = test_registry.record(test_registry.A)
MIB = 1 << 20
HEADERS_S = 10  # bus/http.h
SOON_S = 15  # milliseconds, mostly: of thousands of answers one may meet a busy machine
Route = collections.namedtuple("Route", "method pattern path types")


class Server:
    """One of the two: its routes, what it says, and that it still does."""

    def __init__(self, name, port, pid, key, routes):
        self.name, self.port, self.pid, self.key, self.routes = name, port, pid, key, routes
        self.peak = self.memory("VmHWM")

    def memory(self, what):
        with open("/proc/%d/status" % self.pid) as f:
            return next(int(line.split()[1]) >> 10 for line in f if line.startswith(what + ":"))

    def whole(self, route, path=None, **more):
        return whole(self.port, route.method, path or route.path, key=self.key, **more)

    def head(self, route, path=None, **headers):
        return head(route.method, path or route.path, self.key, **headers)

    def lives(self):
        assert self.memory("VmRSS") < self.peak + 96, "%s MiB" % self.memory("VmRSS")
        path = "/v1/views/serang?order=id" if self.name == "gateway" else "/subjects/serang-tetap/versions/1"
        answer = json.loads(whole(self.port, "GET", path, key=self.key).body)
        if self.name == "gateway":
            assert answer == [{"id": "k%d" % i, "n": i} for i in range(5)]
        else:
            assert json.loads(answer["schema"]) == json.loads(TEXT)

    def problem(self, a, *statuses):
        """It is one of these refusals, in the shape that is promised; returns its code."""
        assert a.status in statuses, a
        said = json.loads(a.body.decode("utf-8"))
        if self.name == "registry":
            assert a.headers["content-type"] == test_registry.TYPE and said["message"]
            assert int(str(said["error_code"])[:3]) == a.status
            return said["error_code"]
        if a.headers["content-type"].startswith("application/vnd.kafka"):
            assert int(str(said["error_code"])[:3]) == a.status and said["message"]
            return said["error_code"]
        if a.headers["content-type"] == "application/json;charset=utf-8":  # CKAN's
            assert isinstance(said, str) or said["success"] is False
            return None
        assert a.headers["content-type"] == "application/problem+json" and said["status"] == a.status, a
        assert said["type"] == "/problems/" + said["code"] and said["title"]
        return said["code"]


def gateway_routes(gateway):
    document = json.loads(urllib.request.urlopen(gateway.url + "/v1/openapi.json").read())
    made = gateway.request("/v1/webhooks", method="POST", body=b'{"view":"serang","url":"https://contoh.invalid/x"}')
    values = {"view": "serang", "key": "k1", "topic": TOPIC, "file": "x", "indicator": "tak-ada", "month": "2025-01",
              "action": "package_show", "dataset": "serang", "code": "http-400", "partition": "0", "group": "serang", "instance": "satu"}
    assert gateway.request("/consumers/serang", method="POST", body=b'{"name":"satu"}', accept="*/*",
                           headers={"Content-Type": "application/vnd.kafka.v2+json"})[0] == 200

    def resolved(node):
        while "$ref" in node:
            found = document
            for part in node["$ref"].lstrip("#/").split("/"):
                found = found[part]
            node = found
        return node
    for pattern, item in document["paths"].items():
        if "/webhooks/" in pattern:
            values["id"] = json.loads(made[2])["id"]
        path = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], "tak-ada"), pattern)
        for method, operation in item.items():
            types = sorted(resolved(operation["requestBody"])["content"]) if "requestBody" in operation else []
            yield Route(method.upper(), pattern, path, types)
        values.pop("id", None)


def registry_routes():
    table = re.findall(r'\{ "(\w+)", "([^"]+)"', (ROOT / "schemas/registry/rights.c").read_text())
    assert len(table) > 70
    for method, pattern in table:
        path = re.sub(r"\{(\w+)\}", lambda m: {"id": "1", "version": "1", "subject": "serang-tetap"}.get(m[1], "tak-ada"), pattern)
        yield Route(method, pattern, path, [test_registry.TYPE] if method in ("POST", "PUT") else [])


@pytest.fixture(scope="module")
def topic(apart):
    topic = Topic(apart, TOPIC, SCHEMA)
    for i in range(5):
        topic.put("k%d" % i, {"id": "k%d" % i, "n": i, "tanda": []})
    topic.flush()
    return topic


@pytest.fixture(scope="module")
def servers(apart, topic, tmp_path_factory):
    gateway = OwnGateway(apart, "bad-requests", [topic], {"serang": VIEW}, POLICY).start()
    registry = test_registry.Registry(apart.bootstrap, "_schemas_serang", tmp_path_factory.mktemp("registry")).start()
    assert registry.register("serang-tetap", TEXT)[0] == 200
    try:
        yield {"gateway": Server("gateway", gateway.port, gateway.process.pid, gateway.key, list(gateway_routes(gateway))),
               "registry": Server("registry", registry.port, registry.process.pid, None, list(registry_routes()))}
        assert gateway.process.poll() is None and registry.process.poll() is None
    finally:
        gateway.stop()
        registry.kill(signal.SIGTERM)


@pytest.fixture(scope="module", autouse=True)
def slow(servers):
    """To every route a request that says a byte a second, from the beginning: when each was hung up."""
    began, stop, open_, ended = time.monotonic(), threading.Event(), [], []
    for server in servers.values():
        for route in server.routes:
            s = socket.create_connection(("127.0.0.1", server.port))
            s.setblocking(False)
            s.send(server.head(route)[:-2] + b"X: ")
            open_.append(s)

    def run():
        while open_ and not stop.wait(1):
            for s in list(open_):
                gone = False
                try:
                    s.send(b"x")
                    gone = s.recv(100) == b""
                except BlockingIOError:
                    pass
                except OSError:
                    gone = True
                if gone:
                    ended.append(time.monotonic() - began)
                    open_.remove(s)
                    s.close()
    thread = threading.Thread(target=run)
    thread.start()
    yield thread, open_, ended
    stop.set()
    thread.join()


@pytest.fixture(params=["gateway", "registry"])
def server(request, servers):
    one = servers[request.param]
    yield one
    one.lives()


# --- before anybody looks at what it is -------------------------------------------------------------------

def test_a_gigabyte_is_refused_at_its_length(server):
    for route in server.routes:
        a = say(server.port, server.head(route, Content_Length=1 << 30), gigabyte(False))
        server.problem(a, 413)
        assert a.sent < 8 * MIB and a.seconds < SOON_S, (route, a)  # what fits the sockets' buffers


def test_a_gigabyte_without_a_length_is_refused_while_it_comes(server):
    for route in server.routes:
        a = say(server.port, server.head(route, Transfer_Encoding="chunked"), gigabyte(True))
        server.problem(a, 413)
        assert a.headers["connection"] == "close"
        assert a.sent < 40 * MIB and a.seconds < SOON_S, (route, a)


def test_too_many_and_too_long_headers(server):
    """Refused by the HTTP library, whose words are a short page of HTML (bus/http.h)."""
    many = b"".join(b"X-%d: y\r\n" % i for i in range(100000)) + b"\r\n"
    for route in server.routes:
        start = server.head(route)[:-2]
        for rest in (many, b"X: " + b"x" * MIB + b"\r\n\r\n", b"Cookie: " + b"a=1; " * 3000 + b"\r\n\r\n"):
            a = say(server.port, start, [rest])
            assert a.status == 431 and a.seconds < SOON_S, (route, a)


def test_too_long_addresses(server):
    for route in server.routes:
        for tail in ("/" + "x" * MIB, "?" + "a=1&" * 100000):
            a = say(server.port, server.head(route, route.path + tail))
            assert a.status == 414 and a.seconds < SOON_S, (route, a)
        server.problem(say(server.port, server.head(route, route.path + "?" + "x" * 9000)), 414)
        server.problem(server.whole(route, route.path + "?" + "a=1&" * 257), 400)
        server.problem(server.whole(route, route.path + "?" + "&".join("a%d" % i for i in range(1200))), 400)


def test_odd_text_in_addresses(server):
    for route in server.routes:
        for odd in ("%", "%zz", "%00", "%ff", "%c3%28", "%ed%a0%80", "a=%", "%c0%ae%c0%ae"):
            server.problem(server.whole(route, route.path + "?" + odd), 400)
        named = re.sub(r"\{\w+\}", "%ff%fe", route.pattern, count=1)
        if named != route.pattern:
            server.problem(server.whole(route, re.sub(r"\{\w+\}", "x", named)), 400)
            server.problem(server.whole(route, re.sub(r"\{\w+\}", "x", named).replace("%ff%fe", "%0")), 400)
        answer = server.whole(route, "/" + "x/" * 500)
        server.problem(answer, 404)


def test_methods_that_are_not_taken(server):
    taken = {}
    for route in server.routes:
        taken.setdefault(route.path, set()).add(route.method)
    for route in server.routes:
        for method in {"TRACE", "PROPFIND", "LOCK", "get", "DELETE", "PATCH"} - taken[route.path]:
            a = whole(server.port, method, route.path, key=server.key)
            if a.status == 405:
                server.problem(a, 405)
                assert {m for m in a.headers["allow"].split(", ")} >= taken[route.path] | {"OPTIONS"}, (method, route)
            else:  # the path fits another pattern too, which takes that method: it is in the table
                assert method in {r.method for r in server.routes if fits(r.pattern, route.path)}, (method, route, a)


def fits(pattern, path):
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern)), path)


def test_malformed_requests(server):
    for line in (b"GET / HTTP/2.0", b"GET / HTTP/1.1 x", b"GET", b"\0\0\0\0", b"\x16\x03\x01\x02\x00\x01\x00"):
        a = say(server.port, line + b"\r\nHost: kota\r\n\r\n")
        assert a.status in (None, 400, 404, 405, 505), (line, a)
    for header in ("Host: other", "X Y: z", "X: \x01", "Content-Length: -1", "Content-Length: 1\r\nContent-Length: 2",
                   "Transfer-Encoding: gzip, chunked", "Content-Length: 99999999999999999999"):
        for route in server.routes[::10]:
            a = say(server.port, server.head(route)[:-2] + header.encode() + b"\r\n\r\n")
            assert a.status in (400, 413, 501), (header, a)


# --- bodies -----------------------------------------------------------------------------------------------

def zeros(mib):
    """So many MiB of zeros, as gzip: pieces that need nothing of what was before, the same again and again."""
    pack, piece = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(MIB)
    first, again = (pack.compress(piece) + pack.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (mib - 1)


def test_packed_bodies_are_not_unpacked_beyond_their_bounds(server):
    """1 MB that is 900 MB, 8 MB that are 8 GB, the same packed once more, and codings nobody knows."""
    bomb, largest = zeros(900), zeros(8000)
    twice = gzip.compress(largest)
    assert len(bomb) < MIB and 7 * MIB < len(largest) < 8 * MIB and len(twice) < 100000
    for route in (r for r in server.routes if r.types):
        own = "/topics/{topic}" in route.pattern  # takes gzip, once: then it is no record
        for body, coding, status in ((bomb, "gzip", [413]), (largest, "gzip", [413]), (twice, "gzip", [400, 422]),
                                     (twice, "gzip, gzip", [415]), (b"{}", "br", [415]), (b"{}", "\xff", [415])):
            a = server.whole(route, body=body, Content_Encoding=coding, Content_Type=route.types[0])
            server.problem(a, *(status if own else [413] if body is largest else [415]))
            assert a.seconds < SOON_S, (route, coding, a)


def test_types_that_are_not_taken(server):
    for route in (r for r in server.routes if r.types):
        for kind in ("image/png", "multipart/form-data; boundary=x", "application/xml", "text/html", "x", "\xff"):
            server.problem(server.whole(route, body=b'{"a":1}', Content_Type=kind), 415)


ODD = {
    "arrays in arrays": b"[" * 10000 + b"]" * 10000,
    "objects in objects": b'{"a":' * 10000 + b"1" + b"}" * 10000,
    "arrays without an end": b"[" * 900000,
    "not UTF-8": b'{"a":"\xff\xfe"}',
    "half a pair": b'{"a":"\\ud800"}',
    "NUL in a string": b'{"a":"\0"}',
    "nothing but NUL": b"\0" * 1000,
    "cut": b'{"a":',
    "a name twice": b'{"a":1,"a":2}',
    "a number of 500,000 digits": b"[" + b"9" * 500000 + b"]",
    "400,000 numbers": b"[" + b",".join([b"1"] * 400000) + b"]",
    "a long string without an end": b'{"a":"' + b"x" * 900000,
    "XML": b"<a>&b;</a>",
}


def test_odd_bodies(server):
    tried = 0
    for route in (r for r in server.routes if r.types and r.path != "/"):  # POST / of the registry is asked nothing
        for kind in route.types:
            for name, body in ODD.items():
                a = server.whole(route, body=body, Content_Type=kind)
                assert a.seconds < SOON_S, (route, name, a)
                if kind == "application/sql" and a.status == 200:  # what is wrong with it is the answer
                    said = json.loads(a.body)
                    assert said.get("good") is False or said.get("outcome") == "refused"
                elif server.name == "registry":
                    server.problem(a, 400, 404, 422)  # 404: the version, or KEK, is looked up first
                else:
                    server.problem(a, 400, 413, 422)
                tried += 1
    assert tried > 150


def test_odd_schemas(server):
    """In a body that is JSON, a schema that is not: deep, long, naming itself, of all three kinds."""
    if server.name == "gateway":
        pytest.skip("the gateway takes no schemas")
    deep = '{"type":"array","items":' * 10000 + '"int"' + "}" * 10000
    nested = "message A{" * 10000 + "}" * 10000
    odd = [("AVRO", deep), ("AVRO", "[" * 10000), ("AVRO", '{"type":"fixed","name":"f","size":99999999999999}'),
           ("AVRO", '{"type":"enum","name":"e","symbols":[%s]}' % ",".join('"s"' for _ in range(100000))),
           ("AVRO", '{"type":"record","name":"a\\u0000","fields":[]}'), ("JSON", '{"not":' * 10000 + "{}" + "}" * 10000),
           ("PROTOBUF", 'syntax="proto3";' + nested), ("PROTOBUF", "/*" * 100000), ("NOTHING", "{}")]
    for kind, text in odd:
        for path in ("/subjects/serang/versions", "/compatibility/subjects/serang-tetap/versions/1"):
            a = whole(server.port, "POST", path, json.dumps({"schema": text, "schemaType": kind}).encode(),
                      Content_Type=test_registry.TYPE)
            server.problem(a, 409, 422)
            assert a.seconds < SOON_S, (kind, text[:40], a)


def number(n):
    """As Avro has it: zigzag, seven bits a byte."""
    n, out = (n << 1) ^ (n >> 63), b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def test_absurd_lengths_in_avro(server):
    if server.name == "registry":
        pytest.skip("the registry takes no records")
    rows = [number(1 << 62), number(-1 << 62), number(2) + b"ab" + number(7) + number(1 << 40),
            number(2) + b"ab" + number(7) + number(-(1 << 62)) + number(1 << 62), b"\xff" * 20,
            number(2) + b"\xff\xfe" + number(7) + number(0), number(1) + b"a", b"\xff" * 9 + b"\x01"]
    magic = b"Obj\x01"
    codec = number(1) + number(11) + b"avro.schema" + number(1 << 50)
    files = [magic, magic + number(1 << 60), magic + number(-(1 << 62)) + number(1 << 62), magic + codec, magic + b"\0" * 17,
             magic + number(1) + number(11) + b"avro.schema" + number(5) + b'"int"' + number(0) + b"s" * 16 + number(1 << 50) + number(4)]
    for kind in ("application/vnd.apache.avro", "avro/binary"):
        for body in rows + files + [b"\0\0\0\0\1" + r for r in rows] + [b"\0\xff\xff\xff\xff" + rows[0]]:
            for query in ("", "?schema=latest"):
                a = whole(server.port, "POST", "/v1/topics/%s/records%s" % (TOPIC, query), body, server.key, Content_Type=kind)
                server.problem(a, 400, 422)
                assert a.seconds < SOON_S, (body, a)


# --- large bodies: whose? ------------------------------------------------------------------------------------

def slow_body(port, path, headers, n=MIB):
    """A request whose body lacks its last byte."""
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    s.sendall(head("POST", path, Content_Length=n, **headers) + b" " * (n - 1))
    return s


def last_byte(s):
    s.sendall(b" ")
    with s, s.makefile("rb") as answer:
        said, headers = answer.readline(), {}
        while line := answer.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return int(said.split()[1]), headers, json.loads(answer.read(int(headers["content-length"])))


def test_strangers_do_not_fill_what_there_is_for_bodies(apart, topic):
    """300 MiB of bodies are held open by who has no key, or no good one: none of it is kept, and a reader publishes as ever.
    Then a reader does so with his own key: he has a fourth, and another publishes."""
    records, rp = "/v1/topics/%s/records" % TOPIC, "/topics/" + TOPIC
    policy = POLICY + "  lain: {publish: {%s: {}}}\n" % TOPIC
    gateway = OwnGateway(apart, "bad-bodies", [topic], {"serang": VIEW}, policy, readers=("uji", "lain")).start()
    batch = json.dumps({"records": [{"value": {"id": "s%d" % i, "n": i, "tanda": ["x" * 1000]}} for i in range(1000)]}).encode()
    json_type = {"Content_Type": "application/json"}
    wrong = gateway.key[:-2] + ("AA" if gateway.key[-2:] != "AA" else "BA")
    basic = "Basic " + base64.b64encode(b"siapa:" + wrong.encode()).decode()
    strangers = [(records, json_type), (records, {"Authorization": "Bearer " + wrong, **json_type}), (rp, {"Authorization": basic}),
                 (records, {"Signature_Input": 'a=("@method");keyid="uji"', "Signature": "a=:AAAA:", **json_type})]

    def publishes(key):
        a = whole(gateway.port, "POST", records, batch, key, **json_type)
        assert a.status == 200, a
        return len(json.loads(a.body)["records"])
    try:
        assert publishes(gateway.key) == 1000
        before = gateway.rss_kb()
        open_ = [(path, slow_body(gateway.port, path, headers)) for _ in range(75) for path, headers in strangers]
        assert publishes(gateway.key) == publishes(gateway.keys["lain"]) == 1000
        assert gateway.rss_kb() < before + 64 * 1024
        for path, s in open_:
            status, headers, said = last_byte(s)
            assert (status, headers["connection"], "www-authenticate" in headers) == (401, "close", True)
            assert said["code"] in ("key-missing", "key-unknown") if path == records else said["error_code"] == 40101, said
        open_ = [slow_body(gateway.port, records, {"Authorization": "Bearer " + gateway.key, **json_type}, 2 * MIB) for _ in range(80)]
        assert publishes(gateway.keys["lain"]) == 1000
        said = collections.Counter(last_byte(s)[0] for s in open_)
        assert set(said) == {400, 429} and said[429] > 10, said  # 160 MiB of spaces, which are no records; 64 are his
        assert publishes(gateway.key) == 1000
    finally:
        gateway.stop()


# --- nobody's ------------------------------------------------------------------------------------------------

def test_who_has_no_key_is_counted_by_address(apart, topic):
    gateway = OwnGateway(apart, "bad-crowd", [topic], {"serang": VIEW}, POLICY)
    conf = gateway.dir / "gateway.yaml"
    conf.write_text(conf.read_text().replace("access: {", "access: {anybody: 21/1d, ").replace("http: {", "http: {forwarded: true, "))
    gateway.start()
    try:
        paths = ["/data.json", "/catalog", "/catalog/dictionary.xlsx", "/v1/nasional/agregat", "/v1/openapi.json", "/asyncapi/uji.json",
                 "/api/3/action/package_list"]
        for path in 3 * paths:
            assert whole(gateway.port, "GET", path).status in (200, 404), path
        for path in paths:
            a = whole(gateway.port, "GET", path)
            assert (a.status, json.loads(a.body)["code"]) == (429, "quota-exceeded") and 0 < int(a.headers["retry-after"]) <= 86400
            assert whole(gateway.port, "GET", path, X_Forwarded_For="9.9.9.9, 10.1.1.1").status in (200, 404)
            assert whole(gateway.port, "GET", path, key=gateway.key).status in (200, 404)
        assert whole(gateway.port, "GET", "/healthz").status == 200
    finally:
        gateway.stop()


# --- slow ---------------------------------------------------------------------------------------------------

def test_slow_headers_were_hung_up(servers, slow):
    """All of them waited while the others were answered. Slow bodies: the same clock (tests/unit/test_http_attacks.c)."""
    thread, open_, ended = slow
    thread.join(HEADERS_S + 30)
    assert not open_ and len(ended) == sum(len(s.routes) for s in servers.values())
    assert HEADERS_S - 1 < min(ended) and max(ended) < HEADERS_S + 30, "in spite of a byte a second"
