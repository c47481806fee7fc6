"""Three registries on one topic and a broker of their own: on loopback, or each in a network namespace of its own on
one bridge, so that any of them can be cut off from any other.

    broker 10.77.0.2   nodes 10.77.0.11, .12, .13   the test's threads 10.77.0.1, beside the bridge
"""
import ctypes
import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from conftest import ROOT, alive, free_ports, wait_for

BIN = pathlib.Path(os.environ.get("TITIAN_BIN", ROOT / "build/release/bin"))
TYPE = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Loopback:
    """No namespaces: nothing can be cut."""
    def __init__(self, names):
        self.host = dict.fromkeys(names, "127.0.0.1")

    def enter(self):
        pass

    def leave(self):
        pass

    def inside(self, name):
        return []

    def close(self):
        pass


class Network:
    """A bridge in a namespace, and a namespace for each name."""
    def __init__(self, names):
        self.prefix = "titian%d" % os.getpid()
        self.outside = open("/proc/thread-self/ns/net")
        self.names = names
        self.host = {name: "10.77.0.%d" % (2 if name == "broker" else 10 + int(name)) for name in names}
        self.made = []
        try:
            self.make(self.prefix)
            self.run(self.prefix, "link", "add", "br0", "type", "bridge")
            self.run(self.prefix, "addr", "add", "10.77.0.1/24", "dev", "br0")
            self.run(self.prefix, "link", "set", "br0", "up")
            for name in names:
                space = self.space(name)
                self.make(space)
                ip("link", "add", "v" + name, "netns", self.prefix, "type", "veth", "peer", "name", "eth0", "netns", space)
                self.run(self.prefix, "link", "set", "v" + name, "master", "br0", "up")
                self.run(space, "addr", "add", self.host[name] + "/24", "dev", "eth0")
                self.run(space, "link", "set", "eth0", "up")
        except BaseException:
            self.close()
            raise

    def space(self, name):
        return "%s-%s" % (self.prefix, name)

    def make(self, space):
        ip("netns", "add", space)
        self.made.append(space)
        self.run(space, "link", "set", "lo", "up")

    def run(self, space, *words):
        ip("-n", space, *words)

    def inside(self, name):
        return ["ip", "netns", "exec", self.space(name)]

    def enter(self):
        """This thread's sockets are made beside the bridge from here on."""
        with open("/run/netns/" + self.prefix) as f:
            assert libc.setns(f.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def leave(self):
        """This thread is back where the process is: for the tests that come after."""
        assert libc.setns(self.outside.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def cut(self, a, b):
        """Neither hears the other. One way: what a sends to b is lost, and so are the answers to b."""
        for here, there in ((a, b), (b, a)):
            self.run(self.space(here), "route", "add", "blackhole", self.host[there] + "/32")

    def cut_one_way(self, a, b):
        self.run(self.space(a), "route", "add", "blackhole", self.host[b] + "/32")

    def isolate(self, name):
        self.run(self.prefix, "link", "set", "v" + name, "down")

    def heal(self):
        for name in self.names:
            self.run(self.prefix, "link", "set", "v" + name, "up")
            for there in self.names:
                subprocess.run(["ip", "-n", self.space(name), "route", "del", "blackhole", self.host[there] + "/32"],
                               capture_output=True)

    def close(self):
        for space in self.made:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
        self.outside.close()


class Cluster:
    """The broker and the nodes; close() ends them."""
    NODES = ("1", "2", "3")

    def __init__(self, folder, net):
        self.folder, self.net, self.process = folder, net, {}
        self.folder.mkdir(parents=True, exist_ok=True)
        base = free_ports(6)
        self.kafka_port, self.port = base, {n: base + 2 + int(n) for n in self.NODES}

    def kafka(self, *words):
        env = dict(os.environ, TITIAN_KAFKA_HOST=self.net.host["broker"], TITIAN_KAFKA_HEAP="256m")
        run = subprocess.run([*self.net.inside("broker"), str(ROOT / "deploy/kafka/kafka.sh"), *words], env=env,
                             capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stdout + run.stderr

    def start_broker(self):
        self.kafka("start", str(self.folder / "kafka"), str(self.kafka_port), str(self.kafka_port + 1))

    def start(self):
        self.start_broker()
        for node in self.NODES:
            self.start_node(node)
        for node in self.NODES:
            wait_for(lambda n=node: self.ready(n), 60, "node %s" % node)
        wait_for(self.writer, 20, "a writer")
        return self

    def start_node(self, node):
        host = self.net.host[node]
        log = open(self.folder / ("registry%s.log" % node), "a")
        self.process[node] = subprocess.Popen(
            [*self.net.inside(node), str(BIN / "titian-registry"),
             "--set", "kafka.bootstrap=%s:%d" % (self.net.host["broker"], self.kafka_port),
             "--set", "http.address=" + host, "--set", "http.port=%d" % self.port[node], "--set", "http.insecure=true"],
            stderr=log)

    def signal(self, node, how):
        self.process[node].send_signal(how)

    def kill(self, node):
        self.signal(node, signal.SIGKILL)
        self.process[node].wait(30)

    def ask(self, node, method, path, body=None, timeout=20):
        """(status, answer); (0, why) without an answer. Of a thread that has entered the network."""
        c = http.client.HTTPConnection(self.net.host[node], self.port[node], timeout=timeout)
        try:
            c.request(method, path, json.dumps(body) if body is not None else None, TYPE)
            answer = c.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] in b'{["0123456789' and text else text.decode()
        except (OSError, http.client.HTTPException) as e:
            return 0, str(e)
        finally:
            c.close()

    def none_died(self):
        died = [n for n, p in self.process.items() if p.poll() is not None]
        assert not died, "node %s ended by itself\n%s" % (died, self.logs())

    def ready(self, node):
        return self.ask(node, "GET", "/readyz", timeout=2)[0] == 200

    def writer(self):
        """The node that says it writes, when one does and no other."""
        said = [n for n in self.NODES if self.process[n].poll() is None for status, body in [self.ask(n, "GET", "/_health", timeout=1)]
                if status == 200 and body["status"]["schema_registry_is_primary"]]
        return said[0] if len(said) == 1 else None

    def everything(self, node):
        """All versions of all subjects; an answer holds 1,000 at most."""
        found, offset, page = {}, 0, None
        while page is None or page:
            status, page = self.ask(node, "GET", "/schemas?deleted=true&limit=1000&offset=%d" % offset, timeout=60)
            assert status == 200, page
            found.update({(v["subject"], v["version"]): (v["id"], v["schema"]) for v in page})
            offset += len(page)
        return found

    def logs(self):
        return "\n".join("%s: %s" % (n, line) for n in self.NODES
                         for line in (self.folder / ("registry%s.log" % n)).read_text().splitlines()[-12:])

    def close(self):
        for process in self.process.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.process.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        try:
            self.kafka("kill", str(self.folder / "kafka"))
        finally:
            self.net.close()


class Oracle:
    """Everything that was ever answered; complains at once when an answer contradicts another."""
    def __init__(self):
        self.lock = threading.Lock()
        self.id_of, self.text_of, self.version_of, self.wrong = {}, {}, {}, []
        self.answers = []  # (asked at, answered at, node, subject, version, id, text)

    def add(self, asked, node, subject, text, body):
        with self.lock:
            number, version = body["id"], body["version"]
            for table, key, value, what in ((self.id_of, text, number, "one text, two ids"),
                                            (self.text_of, number, text, "one id, two texts"),
                                            (self.version_of, (subject, text), version, "one schema of a subject, two versions"),
                                            (self.version_of, (subject, version), text, "one version, two schemas")):
                if table.setdefault(key, value) != value:
                    self.wrong.append((what, key, table[key], value))
            self.answers.append((asked, time.monotonic(), node, subject, version, number, text))

    def first_after(self, moment, not_by):
        """Seconds from the moment until a request, made after it, had been answered by another node."""
        with self.lock:
            found = [done for asked, done, node, *_ in self.answers[-3000:] if asked >= moment and node != not_by]
        return min(found) - moment if found else None

    def check(self, found):
        """Every answer is found in what the nodes hold, and versions have no gaps."""
        missing = [a[2:] for a in self.answers if found.get((a[3], a[4])) != (a[5], a[6])]
        assert not missing, "%d answers are lost, such as %r" % (len(missing), missing[:3])
        texts = {}
        for (subject, version), (number, text) in found.items():
            assert texts.setdefault(number, text) == text, "id %d has two texts" % number
        assert len(set(texts.values())) == len(texts), "a text has two ids"
        for subject in {s for s, _ in found}:
            versions = sorted(v for s, v in found if s == subject)
            assert versions == list(range(1, len(versions) + 1)), "%s has gaps: %r" % (subject, versions)


class Load:
    """Threads that register new schemas, some of them in two subjects, through any node, until stopped."""
    def __init__(self, cluster, oracle, chance, threads=6):
        self.cluster, self.oracle, self.stopping = cluster, oracle, threading.Event()
        self.count, self.lock, self.failed = 0, threading.Lock(), 0
        self.threads = [threading.Thread(target=self.run, args=(type(chance)(chance.random()),)) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def new_text(self, chance):
        with self.lock:
            self.count += 1
            n = self.count
        if n > 20 and chance.random() < 0.2:  # the same text again, in whatever subject
            n = chance.randrange(max(1, n - 20), n)
        return '{"type":"fixed","name":"F%d","size":4}' % n

    def run(self, chance):
        self.cluster.net.enter()
        while not self.stopping.is_set():
            subject, text = "s%d" % chance.randrange(40), self.new_text(chance)
            while not self.stopping.is_set():
                node, asked = chance.choice(self.cluster.NODES), time.monotonic()
                status, body = self.cluster.ask(node, "POST", "/subjects/%s/versions" % subject, {"schema": text}, timeout=2)
                if status == 200:
                    self.oracle.add(asked, node, subject, text, body)
                    break
                with self.lock:
                    self.failed += 1
                if status and status < 500:
                    self.oracle.wrong.append(("refused", subject, status, body))
                time.sleep(0.02)

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join(30)
            assert not t.is_alive()
