"""Fixtures: whole cities, each on its own ports and in its own folder, started the way a user starts them.

Every city is `make demo` with DEMO_DIR and PORT_BASE; a test ends only processes of its own city. Real Kafka,
real files, real HTTP: nothing is replaced.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATOR = ROOT.parent / "shared" / "data" / "generator" / "generate.py"
sys.path.insert(0, str(ROOT / "deploy" / "demo"))
import check  # noqa: E402
import titian as http  # noqa: E402

OPDS = "disdukcapil dinkes dinsos disdik bapenda dpmptsp bkpsdm".split()
WORK = ROOT / "build" / "integration"


PORTS = range(20000, 32740, 20)  # above 32768 are the ports of outgoing connections
blocks = {}  # of 20 ports, this process's while it lives: first port -> the name that says so; least lately given first


def block(base):
    """A name without a file that only one process of this machine can have, and that ends with it; None when another has it."""
    held = blocks.get(base) or socket.socket(socket.AF_UNIX)
    try:
        if base not in blocks:
            held.bind("\0titian-tests-%d" % base)
        return held
    except OSError:
        held.close()
        return None


def free_ports(n):
    """First of n consecutive free ports. Runs side by side never get each other's, also between this look and the moment
    at which the program that is to listen there does."""
    start = os.getpid() % len(PORTS)
    others = [p for p in [*PORTS[start:], *PORTS[:start]] if p not in blocks]
    for base in [*blocks, *others] if len(blocks) >= 100 else [*others, *blocks]:
        if not (name := block(base)):
            continue
        blocks.pop(base, None)
        blocks[base] = name
        held = []
        try:
            for port in range(base, base + n):
                s = socket.socket()
                held.append(s)
                s.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise RuntimeError("no free ports")


PATIENCE = 3  # how much longer than an idle machine a busy one may take


def wait_for(condition, seconds, what):
    """The condition's first true value; fails, saying what was awaited. The seconds are an idle machine's, and never a promise of
    the product's: what is promised is measured beside, in processor time or more than once."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (seconds * PATIENCE, what))
        time.sleep(0.02)


def cpu_s(pid):
    """Seconds of a processor that a process has used: a busy machine does not make them more."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pytest_configure():
    """Brokers of tests live seconds: a compiler that takes half the processor's time to start them pays best."""
    os.environ.setdefault("TITIAN_KAFKA_JVM", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


class Demo:
    """One city. Its folder is its identity."""

    def __init__(self, name, feeds=None, kafka=None):
        self.dir = WORK / name
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.base = free_ports(5)
        self.env = dict(os.environ, DEMO_DIR=str(self.dir), PORT_BASE=str(self.base))
        if feeds:
            self.env["FEEDS"] = str(feeds)
        if kafka:
            self.env["KAFKA"] = kafka

    def make(self, target, *more, timeout=600, check=True):
        run = subprocess.run(["make", "--no-print-directory", target, *more], cwd=ROOT, env=self.env,
                             capture_output=True, text=True, timeout=timeout)
        if check and run.returncode:
            raise AssertionError("make %s: %d\n%s\n%s" % (target, run.returncode, run.stdout[-4000:], run.stderr[-4000:]))
        return run

    def start(self):
        self.output = self.make("demo").stdout
        return self

    def spawn(self):
        """make demo, not waited for: the city loads while the test goes on."""
        return subprocess.Popen(["make", "--no-print-directory", "demo"], cwd=ROOT, env=self.env,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def city(self):
        return http.City(str(self.dir))

    @property
    def ops(self):
        return "http://127.0.0.1:%d" % (self.base + 1)

    @property
    def registry(self):
        return "http://127.0.0.1:%d" % (self.base + 2)

    @property
    def bootstrap(self):
        return "127.0.0.1:%d" % (self.base + 3)

    def pid(self, name):
        path = self.dir / "kafka" / "kafka.pid" if name == "kafka" else self.dir / "pid" / name
        try:
            return int(path.read_text())
        except (OSError, ValueError):
            return None

    def kill(self, name, sig=signal.SIGKILL):
        """Ends one program of this city at once, and waits until it is gone."""
        pid = self.pid(name)
        if not pid:
            return
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            return
        wait_for(lambda: not alive(pid), 20, name + " to end")

    def restart(self, *names):
        """Starts again whatever of this city does not run, without waiting for the data."""
        for name in names:
            if name == "kafka":
                done = subprocess.run([str(ROOT / "deploy/kafka/kafka.sh"), "start", str(self.dir / "kafka"),
                                       str(self.base + 3), str(self.base + 4)], capture_output=True, text=True, timeout=120)
                assert done.returncode == 0, done.stdout + done.stderr
                continue
            program = {"registry": "titian-registry", "gateway": "titian-gateway"}.get(name, "titian-adapter")
            with open(self.dir / "log" / (name + ".log"), "ab") as log:
                process = subprocess.Popen(
                    [str(ROOT / "build/release/bin" / program), "--config", str(self.dir / "conf" / (name + ".yaml"))],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            (self.dir / "pid" / name).write_text("%d\n" % process.pid)

    def drop(self, opd, name, data):
        """A file that appears in a department's drop folder at once and whole."""
        folder = self.dir / "drop" / opd
        hidden = folder / ("." + name + ".tmp")
        hidden.write_bytes(data)
        hidden.rename(folder / name)

    def idle(self, seconds=120):
        """As demo-check waits: a record may be on its way while the gateway still says idle."""
        assert check.wait_idle(self.city, seconds), "the bus is not idle after %g s" % seconds

    def check(self, truth, timeout=900):
        """Output of demo-check; fails with the differing lines."""
        run = self.make("demo-check", "TRUTH=" + str(truth), check=False, timeout=timeout)
        differing = [l for l in run.stdout.splitlines() if l.startswith("differs")]
        assert run.returncode == 0, "%s\n%s" % ("\n".join(differing[:40]), run.stderr[-2000:])
        return run.stdout

    def log(self, name):
        return (self.dir / "log" / (name + ".log")).read_text(errors="replace")

    def request(self, path, accept="application/json", key=True, method="GET", headers=None, url=None):
        """(status, headers, body bytes), whatever the status."""
        head = {"Accept": accept, **(headers or {})}
        if key:
            head["Authorization"] = "Bearer " + (key if isinstance(key, str) else self.city.key)
        request = urllib.request.Request((url or self.city.url) + path, headers=head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def stop(self):
        self.make("demo-stop", check=False)


def alive(pid):
    """A zombie is not alive."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def generate(out, *args):
    """A city by the generator beside the checkout; None when it is not there. Made once."""
    if not GENERATOR.exists():
        return None
    done = out / "truth.json"
    if not done.exists():
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([sys.executable, str(GENERATOR), str(out), *map(str, args)], check=True, capture_output=True)
    return out


@pytest.fixture(scope="session")
def sample():
    """The project's own sample city, loaded and idle."""
    demo = Demo("sample").start()
    yield demo
    demo.stop()


@pytest.fixture(scope="session")
def truth():
    return json.loads((ROOT / "deploy/demo/truth.json").read_text())


@pytest.fixture(scope="session")
def registry_url(sample):
    return sample.registry


@pytest.fixture(scope="session")
def bootstrap(sample):
    return sample.bootstrap


@pytest.fixture(scope="session")
def apart():
    """A Kafka and a registry that no city uses, for tests that put there what others must not find."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import stage
    folder = stage.fresh(WORK / "apart")
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        yield types.SimpleNamespace(bootstrap=bootstrap, registry=url)
