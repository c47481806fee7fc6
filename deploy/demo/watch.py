#!/usr/bin/env python3
"""Shows a demo at work until its bus is idle: progress, then what each department gave, and where to look.

    watch.py DEMO_DIR [--once] [--timeout SECONDS]
"""
import argparse
import signal
import sys
import textwrap
import time

from titian import City, number


def progress(state, began):
    topics, quality, _ = state
    data = [t for t in topics["topics"] if t["entity"] not in ("karantina", "berkas")]
    done = sum(f["status"] not in ("DIPROSES",) for f in quality)
    return "%5.1f s  berkas/files %d, dibaca/read %s, di gateway/applied %s, menunggu/behind %s" % (
        time.monotonic() - began, done, number(sum(f["baris_data"] for f in quality)),
        number(sum(t["applied"] for t in data)), number(sum(t["behind"] for t in topics["topics"])))


def follow(city, timeout):
    """Until idle. On a terminal one line is rewritten, elsewhere a line every 5 s."""
    began = last = time.monotonic()
    tty = sys.stdout.isatty()
    while time.monotonic() < began + timeout:
        state = city.state()
        if state and state[2]:
            print(("\r\033[K" if tty else "") + progress(state, began))
            return state
        if state and (tty or time.monotonic() - last >= 5):
            print(("\r\033[K" if tty else "") + progress(state, began), end="" if tty else "\n", flush=True)
            last = time.monotonic()
        time.sleep(0.2)
    print("\nbus belum selesai / not idle after %g s" % timeout, file=sys.stderr)
    return None


def summary(state):
    print()
    print("%-24s %11s %10s %9s %8s" % ("umpan / feed", "diterbitkan", "diterima", "ditolak", "lepas"))
    for feed in sorted(state[1], key=lambda f: f["umpan"]):
        print("%-24s %11s %10s %9s %8s" % (feed["umpan"], number(feed["diterbitkan"]), number(feed["diterima"]),
                                           number(feed["ditolak"]), number(feed["tak_tergabung"])))
        why = ", ".join("%s %s" % (k, number(n)) for k, n in sorted(feed["kelas"].items()) if n)
        for line in textwrap.wrap(why, 92):
            print("    " + line)


def where_to_look(city):
    url, env = city.url, city.env
    print("""
Portal       %s/
Registry     %s/subjects
Kafka        %s
Kunci / key  TITIAN_KEY in %s/demo.env

Coba / try:
  . %s/demo.env
  curl -s -H "Authorization: Bearer $TITIAN_KEY" $TITIAN_URL/v1/views/penduduk
  curl -s -H "Authorization: Bearer $TITIAN_KEY" "$TITIAN_URL/v1/views/anak_7_15_tidak_terdaftar?per_tanggal=2025-12-31&limit=3"
  curl -sN -H "Authorization: Bearer $TITIAN_KEY" -H "Accept: text/event-stream" $TITIAN_URL/v1/views/penerima_bansos_meninggal/changes
""" % (url, env["TITIAN_REGISTRY_URL"], env["TITIAN_BOOTSTRAP"], city.dir, city.dir))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("demo_dir")
    p.add_argument("--once", action="store_true", help="show the state now; do not wait")
    p.add_argument("--timeout", type=float, default=1800, help="seconds to wait (default 1800)")
    arg = p.parse_args()
    city = City(arg.demo_dir)
    state = city.state() if arg.once else follow(city, arg.timeout)
    if not state:
        return 1
    summary(state)
    if not arg.once:
        where_to_look(city)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is no error
    sys.exit(main())
