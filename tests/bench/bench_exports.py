"""Exports over HTTP on loopback, one connection: rows a second of wall time, and of the gateway's CPU time beside it.

A view of 16 columns from five tables, of BENCH_EXPORT_ROWS residents (300,000): stored in full, and evaluated on reading."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from meter import cpu

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = int(os.environ.get("BENCH_EXPORT_ROWS", "300000"))
RUNS = 3


def line(name, value, unit):
    print("%s %.0f %s" % (name, value, unit), flush=True)


def fetch(url, key):
    """Bytes of the answer; curl, so that the reader costs little."""
    out = subprocess.run(["curl", "-sf", "-o", "/dev/null", "-w", "%{size_download}", "-H", "Authorization: Bearer " + key, url],
                         capture_output=True, text=True, check=True)
    return int(out.stdout)


def measure(server, url, key, rows):
    """(rows per wall second, rows per CPU second of the gateway, bytes), of the best run."""
    best = (0, 0, 0)
    for _ in range(RUNS):
        before, began = cpu(server.pid), time.monotonic()
        size = fetch(url, key)
        took, used = time.monotonic() - began, cpu(server.pid) - before
        best = max(best, (rows / took, rows / max(used, 0.01), size))
    return best


def main():
    for store in ("full", "thin"):
        folder = tempfile.mkdtemp(prefix="titian-bench-")
        server = subprocess.Popen([str(ROOT / "build/release/bench/exports"), folder + "/store", str(ROWS), store],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for answer in server.stdout:  # the loading has lines of its own
                if not answer.startswith("view_"):
                    break
            port, key = answer.split()
            base = "http://127.0.0.1:%s/v1/views/terpadu" % port
            request = urllib.request.Request(base + "?limit=0", headers={"Authorization": "Bearer " + key, "Prefer": "count=exact"})
            with urllib.request.urlopen(request) as head:
                assert head.headers["Content-Range"] == "*/%d" % ROWS, head.headers["Content-Range"]
            mark = "" if store == "full" else "_thin"
            for kind in ("ndjson", "csv", "avro", "parquet"):
                wall, computed, size = measure(server, "%s.%s" % (base, kind), key, ROWS)
                line("export_%s%s_rows_per_s" % (kind, mark), wall, "rows/s")
                line("export_%s%s_rows_per_cpu_s" % (kind, mark), computed, "rows/s")
                if store == "full":
                    line("export_%s_bytes_per_row" % kind, size / ROWS, "B")
            if store == "full":
                wall, computed, _ = measure(server, base + ".avro?compression=snappy", key, ROWS)
                line("export_avro_snappy_rows_per_s", wall, "rows/s")
                if ROWS < 1048576:  # a sheet holds no more
                    wall, computed, size = measure(server, base + ".xlsx", key, ROWS)
                    line("export_xlsx_rows_per_s", wall, "rows/s")
                    line("export_xlsx_bytes_per_row", size / ROWS, "B")
            rss = [l for l in open("/proc/%d/status" % server.pid) if l.startswith("VmHWM")][0].split()[1]
            line("export%s_server_rss_mb" % mark, int(rss) / 1024, "MB")
        finally:
            server.stdin.close()
            server.wait(30)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
