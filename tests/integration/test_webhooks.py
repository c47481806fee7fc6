"""Webhooks: a real gateway, real Kafka, and a receiver over TLS that answers as badly as receivers do."""
import json
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import ROOT, wait_for
from hook_stage import Gateway, Receiver, Town, fold, verify

SEED = int(os.environ.get("HOOKS_SEED", "20250110"))
KILLS = int(os.environ.get("HOOKS_KILLS", "2"))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", ROOT / "tests/support/pki.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def receiver(pki):
    r = Receiver(pki)
    yield r
    r.close()


@pytest.fixture(scope="module")
def town(bootstrap, registry_url):
    t = Town(bootstrap, registry_url, "kait")
    for i in range(20):
        t.put("k%02d" % i, "147101100%d" % (i % 2), "Warga %d" % i, i)
    t.remove("k19")
    t.flush()
    return t


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    return tmp_path_factory.mktemp("hosts") / "hosts"


@pytest.fixture(scope="module")
def gateway(town, receiver, pki, hosts, tmp_path_factory):
    hosts.write_text("127.0.0.1 localhost\n")
    g = Gateway(tmp_path_factory.mktemp("gw") / "a", town, allow=["127.0.0.1/32"], ports=[receiver.port],
                ca=str(pki / "ca.pem"), hosts=str(hosts), base="https://bus.uji")
    g.start()
    yield g
    g.stop()


def done(gateway, hook):
    """All there is has been delivered."""
    now = gateway.hook(hook)
    return now if now["behind"] == 0 and now["failures"] == 0 and now["state"] == "active" else None


def test_a_receiver_gets_the_view_and_then_each_change(gateway, receiver, town):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/satu")
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    got = receiver.got("/satu")
    assert len(got) == len(gateway.rows()) == len(town.rows)
    town.put("k03", n=303)
    town.remove("k04")
    town.put("baru", n=1)
    town.flush()
    wait_for(lambda: len(receiver.got("/satu")) == len(got) + 3, 20, "three changes")
    bodies = [verify(hook, r) for r in receiver.got("/satu")]
    assert fold(bodies) == gateway.rows() == town.rows
    heads = [r.headers for r in receiver.got("/satu")]
    assert len({h["webhook-id"] for h in heads}) == len(heads)
    sequences = [json.loads(b)["data"]["sequence"] for b in bodies]
    assert sequences == sorted(sequences) and len(set(sequences)) == len(sequences)
    # The cursor of a message is the feed's own.
    cursor = json.loads(bodies[-2])["data"]["cursor"]
    status, feed = gateway.ask("GET", "/v1/views/uji_angka/changes?after=" + cursor)
    assert status == 200 and [c["key"] for c in feed["changes"]] == [json.loads(bodies[-1])["data"]["key"]]
