"""A gateway of a test's own: its topics, views and policy, on the Kafka and the registry of conftest's `apart`."""
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
import io

from conftest import ROOT, WORK, alive, free_ports, wait_for

BIN = ROOT / "build" / os.environ.get("GATEWAY_BUILD", "release") / "bin/titian-gateway"


class Topic:
    """A topic of the test: register(schema) gives a version more, put() a record of the newest."""

    def __init__(self, city, name, schema, partitions=1):
        self.city, self.name = city, name
        self.offsets = {}
        admin = AdminClient({"bootstrap.servers": city.bootstrap})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        self.producer = Producer({"bootstrap.servers": city.bootstrap, "linger.ms": 2})
        self.register(schema)

    def register(self, schema):
        body = json.dumps({"schema": json.dumps(schema)}).encode()
        request = urllib.request.Request("%s/subjects/%s-value/versions" % (self.city.registry, self.name), body,
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        self.id = json.loads(urllib.request.urlopen(request, timeout=30).read())["id"]
        self.schema = fastavro.parse_schema(schema)
        return self.id

    def encode(self, row):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self.schema, row)
        return b"\0" + self.id.to_bytes(4, "big") + out.getvalue()

    def put(self, key, row=None, partition=None, headers=None, raw=None, timestamp=None):
        value = raw if row is None else self.encode(row)
        more = {}
        if partition is not None:
            more["partition"] = partition
        if timestamp is not None:
            more["timestamp"] = timestamp
        while True:
            try:
                self.producer.produce(self.name, key=key, value=value, headers=headers or [("asal", b"uji")], **more)
                return self.producer.poll(0)
            except BufferError:
                self.producer.poll(0.1)

    def flush(self):
        assert self.producer.flush(60) == 0


class OwnGateway:
    def __init__(self, city, name, topics, views, policy, readers=("uji",), connections=10000, more="", base=None):
        self.dir = WORK / name
        shutil.rmtree(self.dir, ignore_errors=True)
        (self.dir / "views").mkdir(parents=True)
        for view, text in views.items():
            (self.dir / "views" / (view + ".sql")).write_text(text)
        port = free_ports(2)
        self.url, self.ops = "http://127.0.0.1:%d" % port, "http://127.0.0.1:%d" % (port + 1)
        self.port, self.process = port, None
        (self.dir / "policy.yaml").write_text(policy)
        self.keys = {r: self.new_key(r) for r in readers}
        self.key = self.keys[readers[0]]
        (self.dir / "key").write_text(self.key + "\n")
        (self.dir / "gateway.yaml").write_text(
            "kafka: {bootstrap: '%s'}\nhttp: {port: %d, base: '%s', connections: %d}\nops: {port: %d}\n"
            "db: {path: %s/city.db}\nviews: {dir: %s/views}\n"
            "access: {policy: %s/policy.yaml, keys: %s/access.keys}\ntopics: [%s]\n%s"
            % (city.bootstrap, port, base or self.url, connections, port + 1, self.dir, self.dir, self.dir, self.dir,
               ", ".join(t.name for t in topics), more))

    def new_key(self, reader):
        return subprocess.run([str(BIN), "key", "new", "--keys", str(self.dir / "access.keys"), "--name", reader],
                              check=True, capture_output=True, text=True).stdout.strip()

    def start(self, within=60):
        self.begin()
        self.await_ready(within)
        return self

    def begin(self):
        """Started, and answering: not ready yet."""
        with open(self.dir / "gateway.log", "ab") as log:
            self.process = subprocess.Popen([str(BIN), "--config", str(self.dir / "gateway.yaml")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_for(self.answers, 30, "the gateway to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()[-2000:]
        try:
            return self.request("/problems")[0] == 200
        except OSError:
            return False

    def log(self):
        return (self.dir / "gateway.log").read_text(errors="replace")

    def ready(self):
        assert self.process.poll() is None, self.log()[-2000:]
        try:
            return json.loads(urllib.request.urlopen(self.ops + "/readyz", timeout=5).read()) == {"status": "ok"}
        except OSError:
            return False

    def await_ready(self, seconds):
        """Says, if it is not, what the gateway was waiting for."""
        try:
            wait_for(self.ready, seconds, "the gateway to be ready")
        except AssertionError as late:
            try:
                why = urllib.request.urlopen(self.ops + "/readyz", timeout=10).read()
            except urllib.error.HTTPError as e:
                why = e.read()
            except OSError as e:
                why = e
            raise AssertionError("%s; it says %s; %s" % (late, why, self.log()[-1500:])) from None

    def kill(self, sig=signal.SIGKILL):
        os.kill(self.process.pid, sig)
        self.process.wait(30)
        assert not alive(self.process.pid)

    def signal(self, sig):
        os.kill(self.process.pid, sig)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def hangup(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def request(self, path, accept="application/json", key=None, method="GET", headers=None, body=None):
        """(status, headers, body bytes), whatever the status."""
        head = {"Accept": accept, "Authorization": "Bearer " + (key or self.key), **(headers or {})}
        request = urllib.request.Request(self.url + path, body, headers=head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def asked(self, path, **more):
        """As request(); a gateway that is not ready (503), or has not read so far yet (409), says to come again."""
        def once():
            answer = self.request(path, **more)
            return None if answer[0] in (409, 503) and answer[1]["Retry-After"] else answer
        return wait_for(once, 20, "an answer of " + path)

    def get(self, path, **more):
        status, _, body = self.asked(path, **more)
        assert status == 200, (status, body[:300])
        return json.loads(body)

    def metric(self, name):
        for line in urllib.request.urlopen(self.ops + "/metrics", timeout=10).read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def rss_kb(self):
        for line in open("/proc/%d/status" % self.process.pid):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
