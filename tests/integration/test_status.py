"""The page of a running adapter: what it counts is what the topics hold; at 80 columns, and while Kafka is away."""
import fcntl
import json
import os
import pty
import re
import subprocess
import time

import pytest

from conftest import free_ports, wait_for
from own_adapter import BIN
from test_quarantine import BARANG, MAPPING, PLAIN, Stage

OPD = "layar"
MAPPINGS = {"barang.yaml": (MAPPING % {**PLAIN, "name": "barang"}).replace("rawat_", OPD + "_").replace("pku.rawat.", "pku.%s." % OPD)}


class Watched(Stage):
    def status(self, *words, check=False):
        return self.run(BIN / "titian", "adapter", "status", "--config", self.conf, *words, check=check)

    def figures(self):
        return json.loads(self.status("--json").stdout)

    def terminal(self, *words, env=None, until=None, seconds=60):
        """What a terminal of its own gets to see; ended once `until` is in it."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(BIN / "titian", ["titian", "adapter", "status", "--config", str(self.conf), *words], {**os.environ, **(env or {})})
        seen, end = b"", time.monotonic() + seconds
        try:
            while time.monotonic() < end and not (until and until(seen)):
                piece = os.read(fd, 65536)
                if not piece:
                    break
                seen += piece
        except OSError:
            pass  # the program has ended
        finally:
            os.close(fd)  # which hangs up
            os.waitpid(pid, 0)
        return seen.decode()


@pytest.fixture(scope="module")
def stage(apart):
    own = Watched(apart, OPD, {"barang": dict(BARANG, name="Barang")}, MAPPINGS, partitions=2)
    yield own
    own.stop()


def page_is_fit_for_paper(text):
    assert "\033" not in text and "RAHASIA" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_not_running(stage):
    told = stage.status()
    assert told.returncode == 1 and "is not running" in told.stdout
    page_is_fit_for_paper(told.stdout)


def test_counts_what_the_topics_hold(stage):
    stage.start()
    stage.csv("barang-1.csv", [("A%d" % i, "RAHASIA", str(i)) for i in range(30)] + [("B%d" % i, "", "1") for i in range(4)] + [("C", "RAHASIA", "x")])
    stage.csv("barang-2.csv", [("A1", "RAHASIA", "100")])
    want = len(stage.records("barang")), len(stage.records("karantina"))
    feed = wait_for(lambda: [f for f in stage.figures()["feeds"] if (f["published_total"], f["refused_total"]) == want], 20, "the figures")[0]
    assert want == (31, 5) and abs(feed["last_record_seconds"] - time.time()) < 60 and feed["waiting_files"] == 0
    told = stage.status()
    assert told.returncode == 0 and "nama_kosong 4" in told.stdout and "jumlah_salah 1" in told.stdout
    page_is_fit_for_paper(told.stdout)
    coloured = stage.terminal()
    assert "\033[1m" in coloured and "\033[" not in stage.terminal(env={"NO_COLOR": "1"})
    redrawn = stage.terminal("--watch", env={"NO_COLOR": "1"}, until=lambda seen: seen.count(b"nama_kosong") >= 3)
    assert redrawn.count("\033[H\033[J") >= 2 and not re.search(r"\033\[[0-9]+m", redrawn)
    # A page whose terminal is gone ends, though nobody sends it a SIGHUP.
    ours, its = pty.openpty()
    page = subprocess.Popen([str(BIN / "titian"), "adapter", "status", "--config", str(stage.conf), "--watch"], stdin=its, stdout=its, stderr=its)
    os.close(its)
    os.read(ours, 1)
    assert page.poll() is None
    os.close(ours)
    page.wait(20)
    stage.stop()
    wait_for(lambda: stage.status().returncode == 1, 10, "the page to tell the end")


def test_a_long_file_and_a_queue(stage):
    """As such an adapter writes it: the folder is held as the running one holds it."""
    now = time.time()
    (stage.dir / "drop/done/.status").write_text("".join("%s %s\n" % line for line in {
        "titian_adapter_written_seconds": now, 'titian_adapter_file_bytes{feed="layar_barang"}': 1000000,
        'titian_adapter_file_read_bytes{feed="layar_barang"}': 250000, 'titian_adapter_file_rows{feed="layar_barang"}': 40000,
        'titian_adapter_file_started_seconds{feed="layar_barang"}': now - 1000,
        'titian_adapter_fetch_next_seconds{feed="layar_barang"}': now + 600, 'titian_adapter_fetch_failed{feed="layar_barang"}': 1,
        'titian_spool_bytes{feed="layar_barang"}': 2048, 'titian_spool_oldest_seconds{feed="layar_barang"}': 50}.items()))
    for i, age in enumerate((7200, 60)):
        path = stage.dir / "drop" / ("barang-147108%010d.csv" % i)  # the digits of somebody
        path.write_text("x")
        os.utime(path, (now - age, now - age))
    held = os.open(stage.dir / "drop", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = stage.status()
    finally:
        os.close(held)
        for path in (stage.dir / "drop").glob("barang-*"):
            path.unlink()
    # A quarter took 1,000 s: three quarters are left.
    assert told.returncode == 0 and "[######..................]  25 %" in told.stdout and "50 m lagi/left" in told.stdout
    assert "FAILED" in told.stdout and "spool: 2 KiB" in told.stdout and "1471080000000000" not in told.stdout
    (line,) = [l.split() for l in told.stdout.splitlines() if l.startswith("layar_barang")]
    assert line[3:6] == ["2", "2", "h"]
    assert "\033" not in told.stdout


def test_kafka_away(stage):
    conf = stage.dir / "away.yaml"
    conf.write_text(stage.conf.read_text().replace(stage.apart.bootstrap, "127.0.0.1:%d" % free_ports(1)))
    log = open(stage.dir / "log.away", "wb")
    adapter = subprocess.Popen([str(BIN / "titian-adapter"), "--config", str(conf)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for(lambda: stage.figures()["kafka_away_since_seconds"] > 0, 40, "the page to tell it")
        told = stage.status()
        assert "does not answer" in told.stdout and told.returncode == 0
    finally:
        adapter.kill()
        adapter.wait()
        log.close()
