"""An office's old computer: rates, the office's own hours, memory. What is measured is the kernel's or the log's, never our own word."""
import os
import pathlib
import re
import time

from conftest import wait_for
from own_adapter import OwnAdapter

ROWS = int(os.environ.get("SMALL_ROWS", "150000"))  # make soak-small: 1,000,000
ENTITIES = ("cepat", "lambat", "mendesak")


def schema(name):
    return {"type": "record", "name": name.capitalize(), "namespace": "id.go.pekanbaru.uji", "doc": "Uji", "x_jenis": "register", "x_kunci": "kode",
            "fields": [{"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"}, {"name": "isi", "type": "string", "doc": "Isi", "x_pdp": "N"}]}


def mapping(opd, name, more=""):
    return """feed: %s_%s
files: ["%s*.csv"]
topic: pku.%s.%s.v1
kind: register
%ssource: {kind: delimited}
values:
  kode: {from: KODE}
checks:
  - {class: kode_ganda, fate: refuse, when: {repeated: kode}}
key: kode
fields: {kode: kode, isi: {from: ISI}}
""" % (opd, name, name, opd, name, more)


def rows(n):
    return ("KODE,ISI\n" + "".join("K%09d,isi baris %d\n" % (i, i) for i in range(n))).encode()


def ended(own, name):
    return re.search(r"adapter\.file_done .*name=%s.*" % re.escape(name), own.log())


def test_no_faster_than_the_limits_and_not_in_office_hours(apart):
    opd = "kecilbatas"
    own = OwnAdapter(apart, opd, {n: schema(n) for n in ENTITIES}, {
        "cepat.yaml": mapping(opd, "cepat"), "lambat.yaml": mapping(opd, "lambat", "limits: {rows_per_second: 2000}\n"),
        "mendesak.yaml": mapping(opd, "mendesak", "urgent: true\n")},
        more="limits: {rows_per_second: 4000}\nquiet_hours: {at: \"00:00-24:00\", small: 100KiB}\nbudget: {nice: 12}")
    own.start()
    try:
        assert os.getpriority(os.PRIO_PROCESS, own.process.pid) == 12
        big = rows(6000)
        assert len(big) > 102400 > len(rows(2500))
        own.drop("cepat_besar.csv", big)
        wait_for(lambda: "adapter.quiet_hours" in own.log(), 20, "its waiting")
        began = time.monotonic()
        own.drop("mendesak_1.csv", big)
        wait_for(lambda: ended(own, "mendesak_1.csv"), 60, "the urgent file")
        assert time.monotonic() - began >= 6000 / 4000 - 0.3
        began = time.monotonic()
        own.drop("lambat_kecil.csv", rows(2500))
        wait_for(lambda: ended(own, "lambat_kecil.csv"), 60, "the small file")
        assert time.monotonic() - began >= 2500 / 2000 - 0.3
        assert (own.dir / "drop/cepat_besar.csv").exists() and not own.records("cepat")
        assert len(own.fold("mendesak")) == 6000 and len(own.fold("lambat")) == 2500
    finally:
        own.stop()


def test_memory_keeps_within_its_budget(apart):
    opd = "kecilmemori"
    own = OwnAdapter(apart, opd, {"banyak": schema("banyak")}, {"banyak.yaml": mapping(opd, "banyak", "complete: true\n")},
                     more="budget: {memory: 96MiB}").start()
    try:
        own.drop("banyak_1.csv", rows(ROWS))
        wait_for(lambda: ended(own, "banyak_1.csv"), 600, "the rows")
        assert "published=%d" % ROWS in ended(own, "banyak_1.csv").group()
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % own.process.pid).read_text()).group(1))
        print("peak of %d rows: %.1f MB" % (ROWS, peak / 1024))
        assert peak <= 96 * 1024
    finally:
        own.stop()
