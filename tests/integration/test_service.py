"""deploy/systemd: the adapter's unit is one that systemd takes, and says of the program what is so: how it is started, when it is
ready, and after which exits it is not to be started again."""
import configparser
import os
import shlex
import shutil
import socket
import subprocess

import pytest

from conftest import ROOT
from own_adapter import BIN, OwnAdapter
from test_connection import BENDA, OF_FILES

UNIT = ROOT / "deploy/systemd/titian-adapter@.service"


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_systemd_finds_no_fault(tmp_path):
    text = UNIT.read_text().replace("/usr/local/bin/", str(BIN) + "/").replace("User=titian", "User=root").replace("Group=titian", "Group=root")
    path = tmp_path / "titian-adapter@uji.service"
    path.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True)
    assert str(path.name) not in done.stderr and "Unknown" not in done.stderr, done.stderr


def test_it_is_ready_when_it_says_so_and_a_mistake_is_not_tried_again(apart, tmp_path):
    own = OwnAdapter(apart, "layanan", {"benda": BENDA}, {"benda.yaml": OF_FILES % {"opd": "layanan"}})
    start = shlex.split(unit()["ExecStart"].replace("/etc/titian/%i", str(own.dir)))
    start[0] = str(BIN / os.path.basename(start[0]))
    assert unit()["Type"] == "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "told"))
        told.settimeout(60)
        process = subprocess.Popen(start, env=dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "told")), stderr=subprocess.DEVNULL)
        try:
            assert told.recv(100) == b"READY=1"
        finally:
            process.terminate()
        assert process.wait(int(unit()["TimeoutStopSec"])) == 0
    own.conf.write_text(own.conf.read_text() + "salah: 1\n")
    assert str(subprocess.run(start, capture_output=True).returncode) in unit()["RestartPreventExitStatus"].split()
