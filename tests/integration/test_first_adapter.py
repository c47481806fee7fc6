"""docs/first-adapter.md: its pictures show what the program prints now, and its commands lead to records on a real Kafka."""
import html
import pathlib
import re
import shutil
import subprocess
import sys

import openpyxl
import pytest

from conftest import ROOT, WORK, wait_for
from own_adapter import BIN, OwnAdapter

sys.path.insert(0, str(ROOT / "tests" / "support"))
from terminal_picture import NAME, STEPS, picture, run_steps  # noqa: E402

XLSX = ROOT.parent / "shared" / "data" / "real" / NAME
PAGE = ROOT / "docs/first-adapter.md"
pytestmark = pytest.mark.skipif(not XLSX.exists(), reason="the real files are not beside this checkout")


def commands():
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def test_the_pictures_are_what_the_program_prints():
    assert sorted(p.stem for p in (ROOT / "docs/first-adapter").iterdir()) == sorted(step for step, _ in STEPS)
    for step, command, said in run_steps(XLSX):
        assert command in commands() and "first-adapter/%s.svg" % step in PAGE.read_text()
        drawn = (ROOT / "docs/first-adapter" / (step + ".svg")).read_text()
        assert drawn == picture(command, said), "make adapter-pictures"
        assert html.unescape(re.findall(r"<text[^>]*>(.*?)</text>", drawn)[0]) == "$ " + command


def test_its_commands_lead_to_records_on_kafka(apart):
    """Every command of the page, with the addresses of this Kafka in the place of the page's."""
    folder = pathlib.Path(WORK) / "first-adapter"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(XLSX, folder / NAME)
    own = OwnAdapter.__new__(OwnAdapter)  # for reading the topic back
    own.apart, own.opd, own.process = apart, "sosial", None
    own.dir, own.conf, own.logs = folder, folder / "dtks/adapter.yaml", folder / "log"
    kept = []
    for command in commands():
        command = command.replace("~/titian", str(ROOT)).replace("http://localhost:8081", apart.registry)
        words = command.replace("localhost:9092", apart.bootstrap).split()
        if words[-1] == "&":
            own.start()
            continue
        if words[0] == "titian":
            words[0] = str(BIN / "titian")
        if "test-connection" in words:
            own.conf.write_text(own.conf.read_text().replace("localhost:9092", apart.bootstrap))
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, "%s\n%s%s" % (command, done.stdout, done.stderr)
        kept.append((command, done.stdout))
    try:
        wait_for(lambda: (folder / "dtks/masuk/done" / NAME).exists(), 30, "the file in done/")
    finally:
        own.stop()
    ws = openpyxl.load_workbook(XLSX, data_only=True).active
    expected = {ws.cell(r, 3).value.strip(): (ws.cell(r, 4).value, ws.cell(r, 5).value) for r in range(6, 26)}
    got = {k: (v["jumlah_individu"], v["jumlah_keluarga"]) for k, v in own.fold("dtks").items()}
    assert got == expected and len(own.records("dtks")) == 20
    answers = [text for command, text in kept if "test-connection" in command]
    assert answers and "FAILED" not in answers[0] and answers[0].count("\nok") + answers[0].startswith("ok") == 11


def test_test_connection_says_what_is_missing(apart, tmp_path):
    """A topic that was not made, a schema that is not registered, a folder that is gone: each with its remedy."""
    own = OwnAdapter(apart, "sambungan", {"benda": {"type": "record", "name": "Benda", "namespace": "id.go.uji.v1", "doc": "uji",
                                                    "x_jenis": "register", "x_kunci": "kode", "fields": [
                                                        {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"}]}},
                     {"benda.yaml": "feed: sambungan_benda\nfiles: ['*.csv']\ntopic: pku.sambungan.benda.v1\nkind: register\n"
                      "source: {kind: delimited}\nvalues:\n  kode: {from: kode, as: clean}\nkey: kode\nfields:\n  kode: kode\n"})
    done = own.run(BIN / "titian", "adapter", "test-connection", "--config", own.conf)
    assert "FAILED" not in done.stdout and "all is well" in done.stdout
    text = own.conf.read_text()
    own.conf.write_text(text.replace("map/benda.yaml", "map/lain.yaml"))
    (own.dir / "map/lain.yaml").write_text((own.dir / "map/benda.yaml").read_text().replace("sambungan.benda", "sambungan.lain"))
    (own.dir / "drop").rmdir()
    done = own.run(BIN / "titian", "adapter", "test-connection", "--config", own.conf, check=False)
    failed = re.findall(r"^GAGAL/FAILED +(\S+)", done.stdout, re.M)
    assert done.returncode == 1 and failed == ["folder", "topik", "skema"], done.stdout
    assert "titian topic apply" in done.stdout and "titian schema register" in done.stdout
    assert not list(pathlib.Path(own.dir / "state").iterdir())
