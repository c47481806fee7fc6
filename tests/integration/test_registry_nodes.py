"""Several registries on one topic: any node answers, one writes, another takes over when it is gone; nothing that was
answered is ever lost, changed or given twice, whatever is killed or cut. The seed decides what happens when.

`make soak-registry` asks for 200 kills and 20 partitions.
"""
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import wait_for
from registry_cluster import Cluster, Load, Loopback, Network, Oracle

SEED = int(os.environ.get("NODES_SEED", "20250110"))
KILLS = int(os.environ.get("NODES_KILLS", "8"))
CUTS = int(os.environ.get("NODES_CUTS", "2"))
REPLACED_S = 5.0
NAMES = ("broker",) + Cluster.NODES


def can_make_namespaces():
    return os.geteuid() == 0 and shutil.which("ip") and subprocess.run(
        ["unshare", "-n", "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("nodes"), Network(NAMES) if can_make_namespaces() else Loopback(NAMES))
    try:
        c.net.enter()
        c.start()
        assert c.ask("1", "PUT", "/config", {"compatibility": "NONE"}, timeout=20)[0] == 200
        yield c
    finally:
        c.net.leave()
        c.close()


@pytest.fixture(scope="module")
def partitions(cluster):
    if isinstance(cluster.net, Loopback):
        pytest.skip("network namespaces need root (and iproute2)")
    return cluster


def settled(cluster):
    """All nodes answer and agree on the writer."""
    def agree():
        said = [cluster.ask(n, "GET", "/_health", timeout=1) for n in cluster.NODES]
        if any(status != 200 for status, _ in said):
            return False
        urls = {body["status"]["schema_registry_primary_url"] for _, body in said}
        return len(urls) == 1 and urls != {None} and cluster.writer()
    try:
        cluster.none_died()
        return wait_for(agree, 60, "all nodes to agree on the writer")
    except AssertionError:
        print([cluster.ask(n, "GET", "/_health") for n in cluster.NODES], cluster.logs())
        raise


def check(cluster, oracle):
    settled(cluster)
    assert not oracle.wrong, oracle.wrong[:5]
    # A request whose client gave up may still be on its way.
    def same():
        found = [cluster.everything(n) for n in cluster.NODES]
        return found[0] if found[0] == found[1] == found[2] else None
    oracle.check(wait_for(same, 40, "all nodes to hold the same"))


def replaced(cluster, oracle, moment, gone, took):
    """Seconds until an answer without the writer; without those in which this machine let nobody work who wanted to."""
    late, last = 0.0, time.monotonic()

    def looked():
        nonlocal late, last
        late, last = late + max(0.0, time.monotonic() - last - 0.2), time.monotonic()
        return oracle.first_after(moment, gone)
    seconds = wait_for(looked, 30, "an answer without the writer\n" + cluster.logs()) - late
    took.append(seconds)
    return seconds


def report(what, n, oracle, load, took):
    took.sort()
    print("\n%d %s: %d answers, %d tries failed; %d writers replaced, seconds: median %.2f, longest %.2f" % (
        n, what, len(oracle.answers), load.failed, len(took), took[len(took) // 2] if took else 0, took[-1] if took else 0))


def test_any_node_takes_changes_and_has_them_when_it_answers(cluster):
    settled(cluster)
    for i, node in enumerate(cluster.NODES * 5):
        text = '{"type":"fixed","name":"Any%d","size":1}' % i
        status, body = cluster.ask(node, "POST", "/subjects/any/versions", {"schema": text})
        assert (status, body["version"]) == (200, i + 1)
        assert cluster.ask(node, "GET", "/subjects/any/versions/%d" % (i + 1))[1]["id"] == body["id"]
    follower = next(n for n in cluster.NODES if n != cluster.writer())
    status, body = cluster.ask(follower, "POST", "/subjects/any/versions", {"schema": "{"})
    assert (status, body["error_code"]) == (422, 42201), "errors come back as they are"
    assert cluster.ask(follower, "DELETE", "/subjects/any/versions/2") == (200, 2)
    assert cluster.ask(follower, "GET", "/subjects/any/versions/2")[0] == 404
    assert cluster.ask(follower, "PUT", "/config/any", {"compatibility": "full"}) == (200, {"compatibility": "FULL"})
    assert cluster.ask(follower, "GET", "/config/any")[1]["compatibilityLevel"] == "FULL"
    assert cluster.ask(follower, "GET", "/master_available") == (200, {"master_available": True})


def test_any_node_takes_keys_and_one_makes_a_version(cluster):
    keks = "/dek-registry/v1/keks"
    writer = settled(cluster)
    follower = next(n for n in cluster.NODES if n != writer)
    assert cluster.ask(follower, "POST", keks, {"name": "k", "kmsType": "t", "kmsKeyId": "i"}, timeout=10)[0] == 200
    assert cluster.ask(follower, "GET", keks + "/k")[1]["kmsKeyId"] == "i"
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda i: cluster.ask(cluster.NODES[i % 3], "POST", keks + "/k/deks/s", {
            "encryptedKeyMaterial": "bTAw%02d" % i}, timeout=10), range(18)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 17
    made = next(body for status, body in answers if status == 200)
    for node in cluster.NODES:
        wait_for(lambda: cluster.ask(node, "GET", keks + "/k/deks/s") == (200, made), 10, "node %s to have read it" % node)
    assert cluster.ask(follower, "DELETE", keks + "/k/deks/s", timeout=10)[0] == 204
    assert cluster.ask(follower, "GET", keks + "/k/deks/s")[0] == 404


def test_a_writer_that_stops_hands_over_at_once(cluster):
    took = []
    for n in range(3):  # the best of three: a busy machine makes any of them long
        writer = settled(cluster)
        other = next(n for n in cluster.NODES if n != writer)
        cluster.signal(writer, signal.SIGTERM)
        assert cluster.process[writer].wait(30) == 0
        began = time.monotonic()
        status, body = cluster.ask(other, "POST", "/subjects/handed/versions", {"schema": '{"type":"fixed","name":"H","size":%d}' % (n + 1)})
        assert status == 200, body
        took.append(time.monotonic() - began)
        now = wait_for(cluster.writer, 20, "the writer that took over")
        cluster.start_node(writer)
        wait_for(lambda: cluster.ready(writer), 30, "node %s" % writer)
        assert settled(cluster) == now != writer, "who comes back does not take the writing back"
        if took[-1] < 2:
            break
    assert min(took) < 2, took


def test_kills(cluster):
    chance, oracle, took = random.Random(SEED), Oracle(), []
    settled(cluster)
    load = Load(cluster, oracle, chance)
    try:
        for i in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.8))  # the random moment
            if i % 20 == 10:
                cluster.kafka("kill", str(cluster.folder / "kafka"))
                cluster.start_broker()
                settled(cluster)
                continue
            writer = cluster.writer()
            node = writer if writer and chance.random() < 0.6 else chance.choice(cluster.NODES)
            cluster.kill(node)
            moment = time.monotonic()
            if chance.random() < 0.7:
                seconds = replaced(cluster, oracle, moment, node, took if node == writer else [])
                assert node != writer or seconds <= REPLACED_S, cluster.logs()
            cluster.start_node(node)
            wait_for(lambda: cluster.ready(node), 60, "node %s" % node)
    finally:
        load.stop()
    report("kills", KILLS, oracle, load, took)
    check(cluster, oracle)


def test_partitions(partitions):
    cluster, net = partitions, partitions.net
    chance, oracle, took = random.Random(SEED), Oracle(), []
    load = Load(cluster, oracle, chance)
    try:
        for i in range(CUTS):
            writer = settled(cluster)
            others = [n for n in cluster.NODES if n != writer]
            kind = ("broker", "isolate", "stop", "oneway", "nodes", "follower")[i % 6]
            time.sleep(chance.uniform(0.1, 0.5))
            if kind == "broker":
                net.cut(writer, "broker")
            elif kind == "isolate":
                net.isolate(writer)
            elif kind == "stop":
                cluster.signal(writer, signal.SIGSTOP)
            elif kind == "oneway":
                net.cut_one_way(writer, "broker")
            elif kind == "nodes":
                net.cut(writer, others[0])
            else:
                net.cut(others[0], "broker")
            moment = time.monotonic()
            gone = others[0] if kind in ("nodes", "follower") else writer
            seconds = replaced(cluster, oracle, moment, gone, took if gone == writer else [])
            print("cut %d (%s): %.2f s" % (i, kind, seconds))
            assert seconds <= REPLACED_S, cluster.logs()
            time.sleep(chance.uniform(0.5, 6))
            if kind == "stop":
                cluster.signal(writer, signal.SIGCONT)
            net.heal()
    finally:
        net.heal()
        load.stop()
    report("partitions", CUTS, oracle, load, took)
    check(cluster, oracle)
