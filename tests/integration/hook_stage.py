"""What the tests of webhooks need: a gateway of their own over one small topic, and a receiver that does as it is told."""
import base64
import collections
import http.server
import json
import os
import signal
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from conftest import ROOT, free_ports, wait_for

BIN = ROOT / "build/release/bin"
SCHEMA = {
    "type": "record", "name": "Warga", "x_jenis": "register", "x_kunci": "id", "fields": [
        {"name": "id", "type": "string"}, {"name": "kode_kel", "type": "string"},
        {"name": "nama", "type": "string"}, {"name": "n", "type": "int"}]}
VIEWS = {
    "uji_angka": "id: {type: text, pdp: P}\n  kode_kel: {type: text, pdp: N}\n  n: {type: int, pdp: N}",
    "uji_orang": "id: {type: text, pdp: P}\n  kode_kel: {type: text, pdp: N}\n  nama: {type: text, pdp: U}",
}
POLICY = """readers:
  kawan:
    views:
      uji_angka: {}
      uji_orang: {clear: [nama]}
  penuh:
    views:
      uji_orang: {clear: [nama], full: true}
  lain:
    views:
      uji_angka: {}
  sebagian:
    views:
      uji_angka: {rows: {kode_kel: ["1471011001"]}}
"""


class Town:
    """One register in Kafka, and what it now holds."""

    def __init__(self, bootstrap, registry, name):
        self.bootstrap, self.topic, self.rows = bootstrap, "pku.uji.%s.v1" % name, {}
        self.table = "uji_" + name
        subject = SchemaRegistryClient({"url": registry})
        self.schema_id = subject.register_schema(self.topic + "-value", Schema(json.dumps(SCHEMA), "AVRO"))
        admin = AdminClient({"bootstrap.servers": bootstrap})
        made = admin.create_topics([NewTopic(self.topic, 1, 1, config={"cleanup.policy": "compact"})])
        made[self.topic].result(20)
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})

    def put(self, key, kel="1471011001", name="Ani", n=0):
        def text(s):
            b = s.encode()
            return varint(len(b)) + b
        self.rows[key] = {"id": key, "kode_kel": kel, "n": n}
        self.producer.produce(self.topic, key=key, value=struct.pack(">bI", 0, self.schema_id) +
                              text(key) + text(kel) + text(name) + varint(n))

    def remove(self, key):
        self.rows.pop(key, None)
        self.producer.produce(self.topic, key=key, value=None)

    def flush(self):
        assert self.producer.flush(20) == 0


def varint(n):
    n = (n << 1) ^ (n >> 63)
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


class Gateway:
    """titian-gateway over a town. Started again with the same folder it is the same gateway."""

    def __init__(self, folder, town, registry_topic="_schemas", **webhooks):
        self.dir, self.town, self.base = folder, town, free_ports(2)
        self.url, self.ops = ("http://127.0.0.1:%d" % (self.base + i) for i in (0, 1))
        (folder / "views").mkdir(parents=True)
        for view, columns in VIEWS.items():
            names = ", ".join(line.split(":")[0].strip() for line in columns.split("\n"))
            (folder / "views" / (view + ".sql")).write_text(
                "/*---\nname: %s\nkey: id\nscope: [kode_kel]\nroutes: {%s: _key}\ncolumns:\n  %s\n---*/\nSELECT %s FROM (SELECT _key AS id, "
                "kode_kel, nama, n FROM %s)\n" % (view, town.table, columns, names, town.table))
        (folder / "policy.yaml").write_text(POLICY)
        self.keys = {name: self.new_key(name) for name in ("kawan", "penuh", "lain", "sebagian")}
        conf = {
            "kafka": {"bootstrap": town.bootstrap},
            "http": {"port": self.base}, "ops": {"port": self.base + 1},
            "db": {"path": str(folder / "city.db")}, "views": {"dir": str(folder / "views")},
            "access": {"policy": str(folder / "policy.yaml"), "keys": str(folder / "access.keys")},
            "topics": [town.topic], "schemas": {"topic": registry_topic},
            "webhooks": dict({"topic": "_webhooks_" + town.table, "retry": ["100ms", "300ms"], "give_up": "12s",
                              "timeout": "2s"}, **webhooks)}
        (folder / "gateway.yaml").write_text(yaml.safe_dump(conf))
        self.process = None

    def new_key(self, name):
        return subprocess.run([BIN / "titian-gateway", "key", "new", "--keys", self.dir / "access.keys", "--name", name],
                              check=True, capture_output=True, text=True).stdout.strip()

    def share_keys(self, other):
        """Gateways over one webhooks topic know the same keys."""
        (self.dir / "access.keys").write_text((other.dir / "access.keys").read_text())
        self.keys = dict(other.keys)

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen([BIN / "titian-gateway", "--config", self.dir / "gateway.yaml"],
                                            stdout=log, stderr=log)
        wait_for(lambda: self.process.poll() is not None or self.ready(), 60, "the gateway")
        assert self.process.poll() is None, self.log()
        return self

    def ready(self):
        try:
            return self.ask("GET", "/readyz")[0] == 200 and self.ask("GET", "/v1/webhooks")[0] == 200
        except OSError:
            return False

    def log(self):
        return (self.dir / "log").read_text()

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(30)

    def ask(self, method, path, body=None, reader="kawan", headers=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.keys[reader], "Accept-Language": "en", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text else None

    def make(self, reader="kawan", **body):
        status, hook = self.ask("POST", "/v1/webhooks", body, reader)
        assert status == 201, hook
        return hook

    def hook(self, hook, reader="kawan"):
        status, now = self.ask("GET", "/v1/webhooks/" + hook["id"], reader=reader)
        assert status == 200, now
        return now

    def rows(self, view="uji_angka", reader="kawan"):
        return {r["id"]: r for r in self.ask("GET", "/v1/views/%s?limit=10000" % view, reader=reader)[1]}

    def metric(self, name):
        with urllib.request.urlopen(self.ops + "/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name):
                    return float(line.rsplit(" ", 1)[1])
        return None


Request = collections.namedtuple("Request", "method path headers body at status")


class Receiver:
    """HTTPS on 127.0.0.1. Each path answers what `plan[path]` says next, in the end 204. A plan's item is a status, a
    dict (status, headers), or a function of the handler."""

    def __init__(self, pki, cert="server", agree=True):
        self.requests, self.plan, self.lock = [], collections.defaultdict(collections.deque), threading.Lock()
        self.agree, outer = agree, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                at = time.time()
                with outer.lock:
                    plan = outer.plan[self.path]
                    do = plan.popleft() if plan else 204
                if callable(do):
                    do = do(self)
                answer = do if isinstance(do, dict) else {"status": do}
                with outer.lock:
                    outer.requests.append(Request(self.command, self.path, dict(self.headers.items()), body,
                                                  at, answer["status"]))
                if answer["status"]:
                    self.send_response(answer["status"])
                    if self.command == "OPTIONS" and outer.agree:
                        self.send_header("WebHook-Allowed-Origin", self.headers["WebHook-Request-Origin"])
                    for name, value in answer.get("headers", {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            do_POST = do_OPTIONS = do_GET = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that went away, or does not trust us
        self.port = self.server.server_address[1]
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki / (cert + ".pem"), pki / (cert + ".key"))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.base = "%s://localhost:%d" % ("https" if cert else "http", self.port)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def got(self, path, method="POST", good=True):
        """Requests of a path that are over, in the order in which they came; good: those answered 2xx."""
        with self.lock:
            return sorted((r for r in self.requests if r.path == path and r.method == method and
                           (not good or 200 <= r.status < 300)), key=lambda r: r.at)


def verify(hook, request):
    """The body, its signature verified: by the library where it can (HMAC), by cryptography for Ed25519."""
    head = {k.lower(): v for k, v in request.headers.items()}
    for key in hook["keys"]:
        if "secret" in key:
            return Webhook(key["secret"]).verify(request.body, request.headers, json_parse=False) or request.body
    text = ("%s.%s." % (head["webhook-id"], head["webhook-timestamp"])).encode() + request.body
    public = [Ed25519PublicKey.from_public_bytes(base64.b64decode(k["public"].removeprefix("whpk_"))) for k in hook["keys"]]
    for signature in head["webhook-signature"].split(" "):
        version, _, value = signature.partition(",")
        assert version == "v1a"
        for key in public:
            try:
                key.verify(base64.b64decode(value), text)
                return request.body
            except Exception:  # the next one
                continue
    raise AssertionError("no signature of ours")


def fold(bodies):
    """The view that standard messages make."""
    rows = {}
    for body in bodies:
        message = json.loads(body)
        view, kind = message["type"].rsplit(".", 1)
        assert message["data"]["view"] == view
        if kind == "reset":
            rows = {}
        for change in message["data"].get("changes", [dict(message["data"], event=kind)]):
            if change["event"] == "upsert":
                rows[change["key"]] = change["row"]
            elif change["event"] == "delete":
                rows.pop(change["key"], None)
    return rows
