"""An adapter that is posted to: its folders, its clients, and the link to Kafka that can be cut (tests/support/cut.c)."""
import hashlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import uuid

from confluent_kafka import Consumer

import namespaces
from conftest import ROOT, WORK, free_ports, wait_for
from own_adapter import BIN, OwnAdapter, end

FIELDS = [{"name": "id", "type": "string", "doc": "Id", "x_pdp": "N"},
          {"name": "nilai", "type": ["null", "long"], "default": None, "doc": "Nilai", "x_pdp": "N"},
          {"name": "teks", "type": ["null", "string"], "default": None, "doc": "Teks", "x_pdp": "N"}]
UKUR = {"type": "record", "name": "Ukur", "namespace": "id.go.pekanbaru.uji", "doc": "Ukur", "x_jenis": "peristiwa", "fields": FIELDS}
UNIT = {"type": "record", "name": "Unit", "namespace": "id.go.pekanbaru.uji", "doc": "Unit", "x_jenis": "register", "x_kunci": "id", "fields": FIELDS}
MAPPING = """feed: %(feed)s
files: ["%(feed)s*.jsonl"]
topic: pku.%(opd)s.%(entity)s.v1
kind: %(kind)s
source: {kind: jsonl}
values:
  id: {from: id}
  nilai: {from: nilai, as: whole}
checks:
  - {class: tanpa_id, fate: refuse, when: {missing: id}}
  - {class: nilai_salah, fate: refuse, when: {bad: nilai}}
key: id
fields: {id: id, nilai: nilai, teks: {from: teks}}
"""


class Intake(OwnAdapter):
    def __init__(self, apart, opd, more="", intake=""):
        self.port = free_ports(1)
        self.token = uuid.uuid4().hex + uuid.uuid4().hex
        folder = WORK / ("adapter-" + opd)
        lines = ["intake: {address: 127.0.0.1, port: %d, tokens: %s, body_max: 1MiB%s}" % (self.port, folder / "tokens", intake),
                 "spool: {dir: %s, key: %s%s}" % (folder / "spool", folder / "keys/spool.key", more and ", " + more)]
        super().__init__(apart, opd, {"ukur": UKUR, "unit": UNIT},
                         {e + ".yaml": MAPPING % {"feed": opd + "_" + e, "opd": opd, "entity": e, "kind": k}
                          for e, k in (("ukur", "events"), ("unit", "register"))}, more="\n".join(lines))
        self.run(BIN / "titian", "key", "new", self.dir / "keys/spool.key")
        self.tokens("simrs %s_ukur,%s_unit %s" % (opd, opd, hashlib.sha256(self.token.encode()).hexdigest()))
        self.cut_file, self.link, self.where, self.socket = self.dir / "cut", {}, [], None

    def tokens(self, text):
        path = self.dir / "tokens"
        path.write_text("# siapa boleh mengirim\n" + text + "\n")
        path.chmod(0o600)

    def cuttable(self):
        """From the next start on the link to Kafka can be cut."""
        lib = WORK / "cut.so"
        if not lib.exists():
            self.run("gcc", "-shared", "-fPIC", "-O1", "-o", lib, ROOT / "tests/support/cut.c", "-ldl")
        self.link = {"LD_PRELOAD": str(lib), "TITIAN_CUT": str(self.cut_file), "TITIAN_CUT_PORT": self.apart.bootstrap.rsplit(":", 1)[1]}
        return self

    def begin(self):
        """Starts, and is up as soon as it takes posts, whether Kafka is there or not."""
        with open(self.logs, "ab") as log:
            at = log.tell()
            self.process = subprocess.Popen(self.where + [str(BIN / "titian-adapter"), "--config", str(self.conf)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, env=dict(os.environ, **self.link))
        wait_for(lambda: "intake.ready" in self.log()[at:] or self.process.poll() is not None, 60, "the intake")
        assert self.process.poll() is None, self.log()[at:]
        return self

    def apart_by(self, cable):
        """In the office of namespaces.Cable from the next start on."""
        self.where = ["ip", "netns", "exec", cable.office]
        self.socket = lambda port: namespaces.inside(cable.office, lambda: socket.create_connection(("127.0.0.1", port), timeout=30))
        return self

    def cut(self, yes=True):
        self.cut_file.touch() if yes else self.cut_file.unlink()

    def ask(self, method, path, body=None, headers=(), token=None, connection=None):
        c = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if self.socket and not connection:
            c.sock = self.socket(self.port)
        h = {"Authorization": "Bearer " + (token or self.token)}
        h.update(headers)
        c.request(method, path, body, h)
        a = c.getresponse()
        data = a.read()
        if connection is None:
            c.close()
        return a.status, dict(a.getheaders()), data

    def post(self, entity, rows, key=None, type="application/json", headers=(), **more):
        body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        h = {"Content-Type": type, **dict(headers)}
        if key:
            h["Idempotency-Key"] = key
        status, head, data = self.ask("POST", "/v1/feeds/%s_%s" % (self.opd, entity), body, h, **more)
        return status, head, json.loads(data)

    def segments(self, entity, where=""):
        return sorted((self.dir / "spool" / ("%s_%s" % (self.opd, entity)) / where).glob("*.spool"))

    def count(self, entity):
        """Records of the topic, of one partition."""
        consumer = Consumer({"bootstrap.servers": self.apart.bootstrap, "group.id": str(uuid.uuid4())})
        try:
            return end(consumer, "pku.%s.%s.v1" % (self.opd, entity), 0)
        finally:
            consumer.close()

    def values(self, entity):
        return [(r.value["id"], r.value["nilai"], r.value["teks"]) for r in self.records(entity)]

    def states(self, entity):
        """The last `berkas` record of each segment of the feed."""
        now = {}
        for r in self.records("berkas"):
            now[r.key] = r.value
        return [v for v in now.values() if v and v["umpan"] == "%s_%s" % (self.opd, entity)]


class Sender(threading.Thread):
    """A department's program: posts one row after the other, each until it is taken, with a key of its own."""

    def __init__(self, own, name, count, entity="ukur"):
        super().__init__(daemon=True)
        self.own, self.name_, self.count, self.entity = own, name, count, entity
        self.taken, self.refused, self.stop = [], 0, False
        self.start()

    def run(self):
        connection = None
        for n in range(self.count):
            row = {"id": "%s-%06d" % (self.name_, n), "nilai": n, "teks": None}
            while not self.stop:
                try:
                    connection = connection or http.client.HTTPConnection("127.0.0.1", self.own.port, timeout=10)
                    status, _, _ = self.own.post(self.entity, row, key=row["id"], connection=connection)
                except (OSError, http.client.HTTPException):
                    connection = None
                    time.sleep(0.05)
                    continue
                if status == 202:
                    self.taken.append(row["id"])
                    break
                assert status in (409, 503), status
                self.refused += 1
                time.sleep(0.05)
