"""Bad input: a clear message to the one who can mend it, nothing lost, the process lives."""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from conftest import ROOT, WORK, Demo, wait_for

BIN = ROOT / "build/release/bin"
FEEDS = ROOT / "deploy/demo/feeds"


@pytest.fixture(scope="module")
def city():
    demo = Demo("badinput").start()
    yield demo
    demo.stop()


def refused(city, opd, name, seconds=30):
    """The report beside a file that was not taken."""
    report = city.dir / "drop" / opd / "refused" / (name + ".laporan.txt")
    wait_for(report.exists, seconds, "report on " + name)
    return report.read_text()



def run(*command, **kw):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, **kw)


# --- configuration ------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, says", [
    (("drop:", "dorp:"), "drop"),
    (("reference_year: 2025", "reference_year: soon"), "reference_year"),
    (("/penduduk.yaml", "/tidak_ada.yaml"), "tidak_ada.yaml"),
])
def test_a_wrong_adapter_configuration_is_named_by_line(city, tmp_path, change, says):
    text = (city.dir / "conf/disdukcapil.yaml").read_text()
    assert change[0] in text
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace(*change))
    done = run(BIN / "titian-adapter", "check", "--config", wrong)
    assert done.returncode == 2 and says in done.stdout + done.stderr
    assert ".yaml:" in done.stdout + done.stderr or "tidak_ada.yaml" in done.stderr


def test_a_wrong_mapping_is_named_by_line(city, tmp_path):
    maps = tmp_path / "opd"
    shutil.copytree(ROOT / "adapters/opd/bkpsdm", maps)
    mapping = next(maps.glob("*.yaml"))
    lines = mapping.read_text().splitlines()
    number = next(i for i, l in enumerate(lines) if l.startswith("complete"))
    lines[number] = lines[number].replace("complete", "complet", 1)
    mapping.write_text("\n".join(lines) + "\n")
    conf = tmp_path / "adapter.yaml"
    conf.write_text((city.dir / "conf/bkpsdm.yaml").read_text().replace(str(ROOT / "adapters/opd/bkpsdm"), str(maps)))
    done = run(BIN / "titian-adapter", "check", "--config", conf)
    assert done.returncode == 2
    assert "%s:%d" % (mapping, number + 1) in done.stdout + done.stderr


@pytest.mark.parametrize("program, change, says", [
    ("titian-gateway", ("  port: ", "  prot: "), "port"),
    ("titian-gateway", ("gateway/views", "gateway/tidak_ada"), "tidak_ada"),
    ("titian-registry", ("  port: ", "  port: x"), "port"),
])
def test_a_wrong_daemon_configuration_stops_it_with_exit_code_2(city, tmp_path, program, change, says):
    name = program.split("-")[1]
    text = (city.dir / "conf" / (name + ".yaml")).read_text()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace(change[0], change[1], 1).replace("city.db", "other.db"))
    done = run(BIN / program, "--config", wrong)
    assert done.returncode in (1, 2) and says in done.stderr


def test_a_broken_view_is_found_before_the_gateway_meets_it(city, tmp_path):
    views = tmp_path / "views"
    shutil.copytree(ROOT / "gateway/views", views)
    command = [BIN / "titian-gateway", "check", "--config", city.dir / "conf/gateway.yaml", "--set", "views.dir=%s" % views]
    assert run(*command).returncode == 0
    broken = views / "asn_aktif_meninggal.sql"
    broken.write_text(broken.read_text().replace("FROM ", "FROM tidak_ada_", 1))
    done = run(*command)
    assert done.returncode == 2 and "asn_aktif_meninggal.sql:" in done.stderr and "tidak_ada_" in done.stderr


def test_a_topic_without_a_schema_is_named(city, tmp_path):
    text = (city.dir / "conf/gateway.yaml").read_text().replace("city.db", "other.db")
    wrong = tmp_path / "gateway.yaml"
    wrong.write_text(text.replace("pku.dinkes.kunjungan.v1", "pku.dinkes.tidak_ada.v1"))
    with open(tmp_path / "log", "wb") as log:
        waiting = subprocess.Popen([str(BIN / "titian-gateway"), "--config", str(wrong)], stderr=log)
    try:
        wait_for(lambda: "pku.dinkes.tidak_ada.v1" in (tmp_path / "log").read_text(), 10, "the topic's name")
        assert waiting.poll() is None
    finally:
        waiting.terminate()
        waiting.wait(20)


# --- files --------------------------------------------------------------------------------------------

def test_a_legacy_xls_is_refused_with_the_remedy(city):
    city.drop("dinsos", "dinsos_bansos_lama.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2048)
    report = refused(city, "dinsos", "dinsos_bansos_lama.csv")
    assert ".xls lama" in report and "File > Save As" in report and "soffice --headless --convert-to xlsx" in report


def test_an_empty_file_is_refused(city):
    city.drop("dinkes", "dinkes_kunjungan_kosong.jsonl", b"")
    assert "kosong" in refused(city, "dinkes", "dinkes_kunjungan_kosong.jsonl")


def test_a_file_nobody_knows_is_refused(city):
    city.drop("disdik", "catatan.docx", b"PK\x03\x04 not a feed")
    report = refused(city, "disdik", "catatan.docx")
    assert "dikenal / those known: " in report and "disdik_siswa" in report, "which names are taken"


def test_a_directory_is_left_and_told_about(city):
    (city.dir / "drop/disdik/folder_baru").mkdir()
    wait_for(lambda: "folder_baru" in city.log("disdik"), 15, "a word about the directory")
    assert (city.dir / "drop/disdik/folder_baru").is_dir()
    (city.dir / "drop/disdik/folder_baru").rmdir()


def test_a_file_cut_in_half_loses_nothing_and_empties_nothing(city):
    whole = (FEEDS / "bkpsdm_pegawai.sql").read_bytes()
    city.drop("bkpsdm", "bkpsdm_pegawai_potong.sql", whole[:len(whole) // 2])
    report = refused(city, "bkpsdm", "bkpsdm_pegawai_potong.sql")
    assert "terpotong" in report.lower() or "cut" in report.lower()
    city.idle()
    rows = {t["topic"]: t["rows"] for t in city.city.get("/v1/topics")["topics"]}
    assert rows["pku.bkpsdm.asn.v1"] == 39


def test_a_gigabyte_in_one_line_costs_neither_memory_nor_the_process(city):
    folder, pid = city.dir / "drop/dinkes", city.pid("dinkes")
    hidden = folder / ".dinkes_kunjungan_raksasa.jsonl.tmp"
    with open(hidden, "wb") as f:
        for _ in range(1024):
            f.write(b"x" * (1 << 20))
    hidden.rename(folder / "dinkes_kunjungan_raksasa.jsonl")
    gone = folder / "dinkes_kunjungan_raksasa.jsonl"
    wait_for(lambda: not gone.exists(), 120, "the giant to be dealt with")
    peak = int(next(l for l in pathlib.Path("/proc/%d/status" % pid).read_text().splitlines()
                    if l.startswith("VmHWM")).split()[1])
    assert city.pid("dinkes") == pid and peak < 40 * 1024
    for rest in folder.glob("*/dinkes_kunjungan_raksasa.jsonl"):
        rest.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_a_file_without_read_permission_is_told_about_and_taken_when_mended(city, tmp_path_factory):
    """An adapter of its own that runs as nobody: root may read everything."""
    home = pathlib.Path("/tmp") / ("titian-norights-%d" % os.getpid())
    shutil.rmtree(home, ignore_errors=True)
    (home / "drop").mkdir(parents=True)
    (home / "keys").mkdir()
    text = (city.dir / "conf/dpmptsp.yaml").read_text()
    for key in ("city", "dpmptsp"):
        shutil.copy(city.dir / "keys" / (key + ".key"), home / "keys")
    text = text.replace(str(city.dir / "keys"), str(home / "keys")).replace(str(city.dir / "drop/dpmptsp"), str(home / "drop"))
    (home / "adapter.yaml").write_text("\n".join(
        "  dir: %s" % home if l.strip() == "dir: %s" % city.dir else l for l in text.splitlines()) + "\n")
    file = home / "drop/dpmptsp_nib.json"
    shutil.copy(FEEDS / "dpmptsp_nib.json", file)
    subprocess.run(["chown", "-R", "65534:65534", str(home)], check=True)
    os.chown(file, 0, 0)
    file.chmod(0o600)
    city.kill("dpmptsp")
    log = open(home / "log", "wb")
    process = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(BIN / "titian-adapter"),
                                "--config", str(home / "adapter.yaml")], stdout=log, stderr=log)
    try:
        if process.poll() is None:
            time.sleep(0.3)
        if b"Permission denied" in (home / "log").read_bytes() and process.poll() is not None:
            pytest.skip("the checkout itself is not readable for nobody")
        wait_for(lambda: b"dpmptsp_nib.json" in (home / "log").read_bytes(), 20, "a word about the rights")
        assert process.poll() is None and file.exists()
        file.chmod(0o644)
        wait_for(lambda: not file.exists(), 20, "the file to be taken")
    finally:
        process.terminate()
        process.wait(20)
        city.restart("dpmptsp")
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_full_disk_is_told_about_and_survived():
    """The gateway's database on a disk of 4 MB: it fills, the process lives, and goes on when there is room."""
    demo = Demo("fulldisk")
    small = demo.dir / "view"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=True)
    try:
        loading = demo.spawn()
        wait_for(lambda: (demo.dir / "log/gateway.log").exists() and
                 any(w in demo.log("gateway").lower() for w in ("full", "no space")), 90, "a word about the full disk")
        pid = demo.pid("gateway")
        subprocess.run(["mount", "-o", "remount,size=512m", str(small)], check=True)
        loading.wait(120)
        demo.check(ROOT / "deploy/demo/truth.json")
        assert demo.pid("gateway") == pid
    finally:
        demo.stop()
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_after_all_that_the_city_is_the_same(city):
    """The junk has added files to some feeds; the views are what they were."""
    city.idle()
    out = city.make("demo-check", "TRUTH=" + str(ROOT / "deploy/demo/truth.json"), check=False).stdout
    different = [l for l in out.splitlines() if l.startswith("differs") and " pandangan." in l]
    assert not different


def test_a_taken_port_is_named_before_anything_starts(city):
    demo = Demo("portstaken")
    demo.base, demo.env["PORT_BASE"] = city.base, str(city.base)
    done = demo.make("demo", check=False)
    assert done.returncode != 0 and "port %d" % city.base in done.stderr
    assert not (demo.dir / "kafka").exists()
