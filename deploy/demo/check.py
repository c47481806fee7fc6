#!/usr/bin/env python3
"""demo-check: compares every figure of a truth.json with the running city, over HTTP.

    check.py DEMO_DIR TRUTH [--timeout SECONDS]

One line a figure (`equal` or `differs`, with both values), last line `N equal, M different`.
Exit: 0 all equal, 1 something differs, 2 usage, 3 the bus did not become idle.
"""
import argparse
import hashlib
import json
import signal
import sys
import time

from titian import City


def wait_idle(city, timeout):
    """True once all offered records are applied, seen twice half a second apart."""
    end, seen = time.monotonic() + timeout, 0
    while time.monotonic() < end:
        state = city.state()
        seen = seen + 1 if state and state[2] else 0
        if seen == 2:
            return True
        time.sleep(0.5)
    return False


def key_set(keys):
    keys = sorted(keys)
    digest = hashlib.sha256("".join(k + "\n" for k in keys).encode()).hexdigest()
    return {"jumlah": len(keys), "sha256": digest, "contoh": keys[:20]}


def count_by(rows, column):
    out = {}
    for row in rows:
        out[row[column]] = out.get(row[column], 0) + 1
    return out


def views(city, date):
    """truth.json's `pandangan`, from the views' rows."""

    def rows(name):
        return list(city.rows(name, per_tanggal=date))

    def keys(name, column):
        return key_set(row[column] for row in rows(name))

    total = rows("penduduk")[0]
    children = rows("anak_7_15_tidak_terdaftar")
    owners = rows("pemilik_nib_aktif_menunggak_pbb")
    toddlers = rows("imunisasi_dasar_lengkap_12_23_bulan")
    return {
        "penduduk": {
            **{k: total[k] for k in ("awal", "hidup_di_kota", "meninggal", "pindah_keluar")},
            "per_jk": {"L": total["laki_laki"], "P": total["perempuan"]},
        },
        "penduduk_hidup_per_kelurahan": {r["kode_kel"]: r["jumlah"] for r in rows("penduduk_hidup_per_kelurahan")},
        "keluarga_bansos_ada_meninggal": keys("keluarga_bansos_ada_meninggal", "no_kk"),
        "penerima_bansos_meninggal": keys("penerima_bansos_meninggal", "nik"),
        "anak_7_15_tidak_terdaftar": {
            **key_set(r["nik"] for r in children),
            "per_kecamatan": count_by(children, "kode_kec"),
        },
        "pemilik_nib_aktif_menunggak_pbb": {
            **key_set(r["nik"] for r in owners),
            "total_rupiah": sum(r["tunggakan"] for r in owners),
        },
        "tunggakan_pbb_per_kecamatan": {r["kode_kec"]: r["tunggakan"] for r in rows("tunggakan_pbb_per_kecamatan")},
        "asn_aktif_penerima_bansos": keys("asn_aktif_penerima_bansos", "nik"),
        "asn_aktif_meninggal": keys("asn_aktif_meninggal", "nik"),
        "kunjungan_setelah_meninggal": keys("kunjungan_setelah_meninggal", "id_kunjungan"),
        "imunisasi_dasar_lengkap_12_23_bulan": {
            **key_set(r["nik"] for r in toddlers if r["lengkap"]),
            "anak": len(toddlers),
        },
    }


def feeds(quality):
    """truth.json's `feeds`, from /v1/quality. A class that nobody met is not listed there."""
    fields = ("baris_data", "baris_fisik", "diterima", "ditolak", "sha256", "tak_tergabung")
    return {
        feed["berkas"][0]["nama"]: {
            **{k: feed[k] for k in fields},
            "cacat": {k: n for k, n in feed["kelas"].items() if n},
        }
        for feed in quality
        if feed["berkas"]
    }


def observed(quality, city):
    """truth.json's `teramati`. `nama_variasi` is left out: it counts what the generator tried, and some of
    its variants leave the name as it was, so that no reader of the file can know the number."""
    feed = {f["umpan"]: f for f in quality}
    pbb = {c["nama"]: c for c in feed["bapenda_pbb"]["kendali"]}
    notes = feed["dinkes_kunjungan"]["pengamatan"]
    return {
        "bapenda_trailer": {
            "baris": pbb["baris"]["terhitung"],
            "terutang": pbb["terutang"]["terhitung"],
            "bayar": pbb["dibayar"]["terhitung"],
            "trailer_salah": any(c["tertulis"] != c["terhitung"] for c in pbb.values()),
        },
        "dinkes_variasi_tak_berbahaya": {k: notes.get(k, 0) for k in ("nik_numerik", "waktu_tanpa_zona")},
        "peristiwa_datang_terlambat": feed["disdukcapil_peristiwa"]["pengamatan"].get("terlambat", 0),
        "peristiwa_per_jenis": {r["jenis"]: r["jumlah"] for r in city.rows("peristiwa_per_jenis")},
    }


def flat(tree, path=""):
    """{'a': {'b': 1}} -> ('a.b', 1) ... ; lists stay whole."""
    if not isinstance(tree, dict):
        yield path, tree
        return
    for name in sorted(tree):
        yield from flat(tree[name], path + "." + name if path else name)


def shown(value):
    """A figure for the screen. Keys may be NIK, and a NIK is shown nowhere."""
    if isinstance(value, list):
        return "%d keys, sha256 %s" % (len(value), hashlib.sha256("\n".join(value).encode()).hexdigest()[:16])
    return "-" if value is None else str(value)


def compare(truth, found, out):
    truth, found = dict(flat(truth)), dict(flat(found))
    truth.pop("teramati.dinkes_variasi_tak_berbahaya.nama_variasi", None)
    paths = sorted(truth.keys() | found.keys(), key=lambda p: (truth.get(p) != found.get(p), p))
    for path in paths:  # what differs stands last, before the sum
        want, have = truth.get(path), found.get(path)
        print("%-8s %s %s" % ("equal" if want == have else "differs", path, shown(have))
              + ("" if want == have else " (truth %s)" % shown(want)), file=out)
    different = sum(truth.get(p) != found.get(p) for p in paths)
    print("%d equal, %d different" % (len(paths) - different, different), file=out)
    return different == 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("demo_dir")
    p.add_argument("truth")
    p.add_argument("--timeout", type=float, default=600, help="seconds to wait until the bus is idle (default 600)")
    arg = p.parse_args()
    try:
        with open(arg.truth, encoding="utf-8") as f:
            truth = json.load(f)
        city = City(arg.demo_dir)
    except (OSError, ValueError, KeyError) as e:
        print("demo-check: %s\n  jalankan dahulu / run first: make demo" % e, file=sys.stderr)
        return 2
    if not wait_idle(city, arg.timeout):
        left = city.waiting_files()
        print("demo-check: bus belum selesai / the bus is not idle after %g s%s" % (
            arg.timeout, "; files waiting: " + ", ".join(sorted(left)) if left else ""), file=sys.stderr)
        return 3
    quality = city.get("/v1/quality")
    found = {
        "feeds": feeds(quality),
        "pandangan": views(city, truth["parameter"]["per_tanggal"]),
        "teramati": observed(quality, city),
    }
    return 0 if compare({k: truth[k] for k in found}, found, sys.stdout) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is no error
    sys.exit(main())
