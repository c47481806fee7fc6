"""`titian view` against a running gateway: what it says is compared with what SQLite and the log of the demo say."""
import hashlib
import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import ROOT, wait_for

VIEW = "uji_perintah"
BIN = ROOT / "build/release/bin"


def definition(where, more="", columns="status", select="status", name=VIEW):
    return ("/*---\nname: %s\ntitle: {id: Uji, en: Trial}\nkey: kunci\n%scolumns:\n  kunci: {type: text, pdp: P}\n"
            "  %s: {type: text, pdp: S}\n---*/\nSELECT _key AS kunci, %s AS %s FROM dinsos_bansos\nWHERE %s\n"
            % (name, more, columns, select, columns, where))


@pytest.fixture
def titian(sample, tmp_path):
    key = tmp_path / "key"
    key.write_text(sample.city.key + "\n")
    key.chmod(0o600)

    def run(*words, text=None, lang="C.UTF-8", key_file=key, env=None):
        words = list(words)
        if text is not None:
            path = tmp_path / "view.sql"
            path.write_text(text)
            words.append(str(path))
        return subprocess.run([str(BIN / "titian"), "view"] + words, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "LC_ALL": lang, "LANG": lang, "TITIAN_URL": sample.city.url,
                                   "TITIAN_KEY_FILE": str(key_file), **(env or {})})

    yield run
    run("drop", VIEW, "--yes")


def grants(sample):
    db = sqlite3.connect("file:%s?mode=ro" % (sample.dir / "view" / "city.db"), uri=True)
    try:
        return dict(db.execute("SELECT _key, status FROM dinsos_bansos"))
    finally:
        db.close()


def test_a_definition_is_checked_applied_compared_verified_and_dropped(sample, titian):
    active = {k for k, s in grants(sample).items() if s == "AKTIF"}
    first = definition("status = 'AKTIF'")
    dry = titian("apply", text=first)
    assert dry.returncode == 0, dry.stderr
    assert "dry run" in dry.stderr
    assert "%d rows (now 0): %d added" % (len(active), len(active)) in dry.stdout, dry.stdout
    assert titian("explain", VIEW).returncode == 5, "a dry run defines nothing"
    done = titian("apply", "--yes", text=first)
    assert done.returncode == 0 and "%s: running" % VIEW in done.stdout, done.stdout + done.stderr
    verdict = json.loads(titian("verify", VIEW, "--json").stdout)
    assert verdict == {"view": VIEW, "good": True, "keys": len(active), "differing": 0, "waiting": 0, "waits": False}
    # other rows, and another value in all that stay
    report = titian("diff", "--json", text=definition("status <> 'NON_AKTIF'", select="lower(status)"))
    diff = json.loads(report.stdout)["diff"]
    others = {k for k, s in grants(sample).items() if s not in ("AKTIF", "NON_AKTIF")}
    few = lambda n: n if n >= 10 else None  # what one person could be found out by
    assert (diff["rows_before"], diff["rows_now"]) == (few(len(active)), few(len(active) + len(others)))
    assert (diff["added"], diff["changed"], diff["removed"]) == (few(len(others)), few(len(active)), None)
    assert len(active) >= 10, "or nothing was compared"
    assert [c for c in diff["columns"] if c["name"] == "status"][0]["rows"] == len(active)
    told = titian("explain", VIEW)
    assert told.returncode == 0
    assert "dinsos_bansos (pku.dinsos.bansos.v1)" in told.stdout
    assert "the key is column _key of the changed row [found in the SELECT]" in told.stdout
    assert titian("drop", VIEW).stdout.strip().endswith("--yes does it")
    assert titian("drop", VIEW, "--yes").returncode == 0
    wait_for(lambda: titian("explain", VIEW).returncode == 5, 20, "the view to be gone")
    assert titian("verify", VIEW).returncode == 5


def test_no_mask_is_taken_off_by_a_definition_and_each_check_leaves_its_trace(sample, titian):
    text = definition("status = 'AKTIF'", columns="nama", select="nama").replace("nama: {type: text, pdp: S}",
                                                                                 "nama: {type: text, pdp: N}")
    checked = titian("check", text=text)
    assert checked.returncode == 1 and "column 'nama' is a copy of dinsos_bansos.nama (U)" in checked.stdout, checked.stdout
    done = titian("apply", "--yes", text=text)
    assert done.returncode != 0 and titian("explain", VIEW).returncode == 5
    assert "copy of dinsos_bansos.nama" in done.stdout + done.stderr, done
    logged = "".join(p.read_text(errors="replace") for p in sample.dir.rglob("*.log"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert [line for line in logged.splitlines() if "id=gateway.check " in line and digest in line and "by=" in line]
    one = titian("diff", "--json", text=definition("_key = (SELECT max(_key) FROM dinsos_bansos)",
                                                   more="pace: total\nroutes: {dinsos_bansos: _key}\n"))
    assert json.loads(one.stdout)["diff"]["rows_now"] is None, "whether that one person is there"


def test_problems_are_told_with_file_line_and_the_line_to_add(titian):
    bad = titian("check", text=definition("EXISTS (SELECT 1 FROM warga w WHERE w.nik = dinsos_bansos.nik)",
                                          more="pace: row\n"))
    assert bad.returncode == 1
    assert "view.sql:" in bad.stdout and "error: one key would read all of table 'warga'" in bad.stdout
    assert "    | indexes:\n    |   - {table: warga, columns: [nik]}" in bad.stdout
    indonesian = titian("check", text=definition("nowhere = 1"), lang="id_ID.UTF-8")
    assert indonesian.returncode == 1 and "salah: no such column: nowhere" in indonesian.stdout
    wrong = titian("check", text=definition("status = 'AKTIF'", more="routes: {dinsos_bansos: id_subjek}\n"))
    assert wrong.returncode == 1 and "do not suffice" in wrong.stdout
    assert titian("check", "/nowhere/x.sql").returncode == 5
    for word in ("explain", "verify", "drop"):
        misspelt = titian(word, "pendudk")
        assert misspelt.returncode == 5 and "try: penduduk\n" in misspelt.stderr, misspelt.stderr
    lost = titian("check", "--local", "--schemas", "/nowhere", text=definition("status = 'AKTIF'"))
    assert lost.returncode == 2 and "--schemas DIR" in lost.stderr, lost.stderr
    assert titian("check", "--ms", "many", text=definition("1")).returncode == 2
    assert titian("verify", "no such view").returncode == 2


def test_nobody_defines_without_the_right(sample, titian, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.write_text("titian_0_nobody\n")
    foreign.chmod(0o600)
    assert titian("check", text=definition("1"), key_file=foreign).returncode == 4


def test_a_costly_definition_ends_and_the_gateway_goes_on_answering(sample, titian):
    """Memory and time are those of a process of its own: nobody else notices."""
    bombs = [
        # all pairs of all triples, joined into one text
        definition("1", select="(SELECT group_concat(a.nama || b.nama || c.nama) FROM warga a, warga b, warga c)",
                   more="pace: total\nroutes: {dinsos_bansos: _key, warga: SELECT _key FROM dinsos_bansos}\n"),
        # text grown by a factor of ten, eight times
        definition("1", select="replace(" * 8 + "nama || 'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 8),
        definition("1", select="(SELECT count(*) FROM warga a, warga b, warga c, warga d)",
                   more="pace: total\nroutes: {dinsos_bansos: _key, warga: SELECT _key FROM dinsos_bansos}\n"),
    ]
    slowest, stop = [0.0], threading.Event()

    def ask():
        while not stop.is_set():
            begin = time.time()
            assert sample.request("/v1/views/penduduk")[0] == 200
            slowest[0] = max(slowest[0], time.time() - begin)
            time.sleep(0.02)

    def memory():
        with open("/proc/%d/status" % sample.pid("gateway")) as f:
            return int([line for line in f if line.startswith("VmRSS")][0].split()[1])

    reader = threading.Thread(target=ask)
    reader.start()
    before = memory()
    try:
        for text in bombs:
            begin = time.time()
            answer = titian("check", "--ms", "1500", text=text)
            assert time.time() - begin < 90
            assert answer.returncode == 1 or "so far" in answer.stdout or "not compared" in answer.stdout, answer.stdout
    finally:
        stop.set()
        reader.join()
    assert slowest[0] < 10, "readers waited %.1f s" % slowest[0]
    assert memory() < before + 64 * 1024, "kB of the gateway itself"
