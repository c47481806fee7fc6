#!/usr/bin/env python3
"""make bench: `name value unit` lines; machine and versions first; each ratio from one run, side by side.

References: `raw` (plain librdkafka producing the same records from memory) for the adapters, `hello` (bare
libmicrohttpd) for the gateway. A city of 100,000 from the generator beside the checkout, else the sample.
"""
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
import bench_avro  # noqa: E402
from conftest import OPDS, WORK, Demo, free_ports, generate, wait_for  # noqa: E402
from meter import line  # noqa: E402

BENCH = ROOT / "build/release/bench"
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "100000"))


def output(*command, env=None):
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.strip()


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    line("machine", '"%s, %d cores, Linux %s"' % (model, os.cpu_count(), platform.release()), "text")
    for package in ("librdkafka1", "libmicrohttpd12", "libsqlite3-0", "gcc"):
        line("version_" + package.replace("-", "_"), output("dpkg-query", "-W", "-f=${Version}", package), "text")
    line("version_titian", output(str(ROOT / "build/release/bin/titian"), "--version").split()[-1], "text")


def peak_mb(pid):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024


def wrk(url, *headers):
    """Requests per second over 3 s at 32 connections; no answer may be an error."""
    command = ["wrk", "-t2", "-c32", "-d3s", url]
    for header in headers:
        command[1:1] = ["-H", header]
    out = output(*command)
    assert "Non-2xx" not in out, out
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def new_topic(bootstrap, name):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)


def many_rows(feeds):
    """The two kinds whose feed is short get a longer file: the same rows with other numbers."""
    out = WORK / "bench-files"
    out.mkdir(parents=True, exist_ok=True)
    document = json.loads((feeds / "dpmptsp_nib.json").read_text())
    rows = [r for r in document["data"] if r["nib"].startswith("99")][:2000]
    with open(out / "dpmptsp_nib.json", "w") as f:
        f.write('{"sumber":"bench","tanggal_ekspor":"2025-12-31","data":[\n')
        for i in range(PEOPLE):
            row = dict(rows[i % len(rows)], nib="97%011d" % i)
            f.write((",\n" if i else "") + json.dumps(row, separators=(",", ":"), ensure_ascii=False))
        f.write("\n]}\n")
    text = (feeds / "bkpsdm_pegawai.sql").read_text()
    head, body = text.split("FROM stdin;\n")
    body, foot = body.split("\\.\n")
    rows = [r.split("\t", 1)[1] for r in body.splitlines()]
    with open(out / "bkpsdm_pegawai.sql", "w") as f:
        f.write(head + "FROM stdin;\n")
        for i in range(PEOPLE):
            f.write("19900101%010d\t%s\n" % (i, rows[i % len(rows)]))
        f.write("\\.\n" + foot)
    return out


def adapters(feeds):
    """Each kind alone: its adapter on an empty topic, then raw with the very records that came of it."""
    longer = many_rows(feeds)
    kinds = [("delimited", "disdukcapil", feeds / "disdukcapil_penduduk.psv", "penduduk"),
             ("fixed", "bapenda", feeds / "bapenda_pbb.txt", "pbb"),
             ("jsonl", "dinkes", feeds / "dinkes_kunjungan.jsonl", "kunjungan"),
             ("json", "dpmptsp", longer / "dpmptsp_nib.json", "nib"),
             ("pgdump", "bkpsdm", longer / "bkpsdm_pegawai.sql", "asn")]
    first = WORK / "bench-first"
    first.mkdir(parents=True, exist_ok=True)
    sample = ROOT / "deploy/demo/feeds"
    few = (sample / "disdukcapil_penduduk.psv").read_bytes().splitlines(keepends=True)[:20]
    (first / "disdukcapil_penduduk.psv").write_bytes(b"".join(few))
    (first / "ref_sekolah.csv").write_bytes((feeds / "ref_sekolah.csv").read_bytes())
    demo = Demo("bench-adapters", first).start()
    demo.kill("gateway")  # the adapters and the broker are measured, nobody else works
    peak = 0
    try:
        for kind, opd, file, entity in kinds:
            folder, rows = demo.dir / "drop" / opd, sum(1 for _ in open(file, "rb"))
            os.link(file, folder / ("." + file.name))
            name = file.stem + "_bench" + file.suffix
            began = time.monotonic()
            (folder / ("." + file.name)).rename(folder / name)
            wait_for(lambda: (folder / "done" / name).exists(), 300, "%s read" % name)
            ours = rows / (time.monotonic() - began)
            peak = max(peak, peak_mb(demo.pid(opd)))
            topic = "pku.%s.%s.v1" % (opd, entity)
            target = "bench.%s" % kind
            new_topic(demo.bootstrap, target)
            raw = float(output(str(BENCH / "raw"), demo.bootstrap, topic, target))
            line("adapter_%s_rows_per_s" % kind, ours, "rows/s")
            line("raw_%s_rows_per_s" % kind, raw, "rows/s")
            line("adapter_%s_ratio" % kind, ours / raw, "ratio")
    finally:
        demo.stop()
    return peak


def city(feeds):
    """All feeds of the city, from `make demo` to idle; then the gateway alone, from an empty database."""
    began = time.monotonic()
    demo = Demo("bench-city", feeds).start()
    try:
        line("city_%dk_seconds" % (PEOPLE // 1000), time.monotonic() - began, "s")
        adapter = max(peak_mb(demo.pid(opd)) for opd in OPDS)
        line("registry_rss_mb", peak_mb(demo.pid("registry")), "MB")
        demo.kill("gateway")
        shutil.rmtree(demo.dir / "view")
        (demo.dir / "view").mkdir()
        began = time.monotonic()
        demo.restart("gateway")
        demo.idle(300)
        took = time.monotonic() - began
        applied = sum(t["applied"] for t in demo.city.get("/v1/topics")["topics"])
        line("gateway_apply_rows_per_s", applied / took, "rows/s")
        reads(demo)
        line("gateway_rss_mb", peak_mb(demo.pid("gateway")), "MB")
    finally:
        demo.stop()
    return adapter


def reads(demo):
    port = free_ports(1)
    hello = subprocess.Popen([str(BENCH / "http_hello"), "bare", str(port)], stdin=subprocess.PIPE)
    try:
        wait_for(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:%d/" % port]).returncode == 0, 10, "hello")
        base, key = demo.city.url + "/v1/views/", demo.city.key
        view = "kunjungan_setelah_meninggal"
        row = next(iter(demo.city.rows(view)))
        point = base + view + "/" + row["id_kunjungan"]
        page = base + "pindah_datang?limit=100"
        stored = base + "penduduk_per_tahun_lahir?limit=100"
        for view_of_100 in ("pindah_datang", "penduduk_per_tahun_lahir"):
            assert len(demo.city.get("/v1/views/" + view_of_100, {"limit": 100})) == 100
        mine, anew = "Authorization: Bearer " + key, "Cache-Control: no-cache"
        # As many ask the same (kept while it is the same), and each answer made from the rows anew: of a view that is
        # evaluated (three look-ups a row), and of one that is stored.
        asked = {"hello": ("http://127.0.0.1:%d/" % port,), "point": (point, mine), "page100": (page, mine),
                 "point_fresh": (point, mine, anew), "page100_fresh": (page, mine, anew),
                 "page100_stored_fresh": (stored, mine, anew)}
        best = dict.fromkeys(asked, 0.0)
        for _ in range(3):  # in turn, best of three: the machine is not always quiet
            for name, question in asked.items():
                best[name] = max(best[name], wrk(*question))
        line("hello_requests_per_s", best["hello"], "1/s")
        for name in list(asked)[1:]:
            line("gateway_%s_per_s" % name, best[name], "1/s")
            line("gateway_%s_ratio" % name, best[name] / best["hello"], "ratio")
    finally:
        hello.terminate()


def main():
    machine()
    feeds = generate(WORK / ("feeds%d" % PEOPLE), "--n", PEOPLE, "--seed", 1) or ROOT / "deploy/demo/feeds"
    peak = adapters(feeds)
    peak = max(peak, city(feeds))
    line("adapter_rss_mb", peak, "MB")
    bench_avro.main()


if __name__ == "__main__":
    main()
