"""Other people's registry clients, the quick ones; `make clients` runs all (tests/clients/README.md)."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
import clients  # noqa: E402
from test_registry import Registry  # noqa: E402

QUICK = [c for c in clients.CLIENTS if c.name in ("python", "kafkajs")]


@pytest.fixture(scope="module")
def kafka(request):
    return os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")


@pytest.fixture(scope="module")
def url(kafka, tmp_path_factory):
    r = Registry(kafka, "_schemas_clients_%d_%d" % (os.getpid(), time.time()), tmp_path_factory.mktemp("clients")).start()
    yield r.url
    assert r.kill(signal.SIGTERM) == 0


@pytest.fixture
def topic(kafka, request):
    name = "clients-%d-%d" % (os.getpid(), time.time_ns())
    clients.make_topics(kafka, [name])
    return name


@pytest.mark.parametrize("client", QUICK, ids=[c.name for c in QUICK])
def test_registers_looks_up_evolves_sends_and_reads_back(url, kafka, topic, client):
    if client.missing():
        pytest.skip("not on this machine: " + ", ".join(client.missing()))
    client.prepare()
    steps, stopped = client.write(url, kafka, topic)
    assert stopped is None, stopped
    assert steps == clients.STEPS
    for reader in QUICK:
        if not reader.missing():
            reader.prepare()
            assert clients.wrong(reader.read(url, kafka, [topic])[topic]) is None, reader.name


@pytest.mark.parametrize("kind", ["json", "protobuf"])
def test_json_schema_and_protobuf_serializers(url, kafka, topic, kind):
    done = subprocess.run([sys.executable, ROOT / "tests/clients/python/types_client.py", kind, topic],
                          env=dict(os.environ, REGISTRY=url, KAFKA=kafka), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
