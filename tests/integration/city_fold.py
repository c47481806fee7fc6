"""The city's topics folded in plain Python, and the shipped views computed from them: a second opinion that shares
nothing with the gateway but the topics. Rules: gateway/views/README.md and the departments' rules of reading."""
import collections
import datetime
import io
import json
import re
import struct

import fastavro
from confluent_kafka import Consumer, TopicPartition

DAY = "2025-12-31"
WIB = datetime.timezone(datetime.timedelta(hours=7))


class Topics:
    """Rows of every topic: a register's last record a key, an event's first record a number."""

    def __init__(self, bootstrap, schema_of):
        self.bootstrap, self.schema_of, self.parsed = bootstrap, schema_of, {}

    def decode(self, value):
        magic, schema_id = struct.unpack(">bI", value[:5])
        assert magic == 0
        if schema_id not in self.parsed:
            self.parsed[schema_id] = fastavro.parse_schema(json.loads(self.schema_of(schema_id)))
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), self.parsed[schema_id])

    def records(self, topic):
        """(partition, offset, timestamp ms, key, schema id, record or None) of a topic, in order of its partitions."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "uji", "enable.auto.commit": False})
        try:
            partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
            for number in partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=60)
                consumer.assign([TopicPartition(topic, number, low)])
                at = low
                while at < high:
                    message = consumer.poll(60)
                    assert message is not None and not message.error(), topic
                    at = message.offset() + 1
                    value = message.value()
                    yield (number, message.offset(), message.timestamp()[1], (message.key() or b"").decode(),
                           struct.unpack(">I", value[1:5])[0] if value else None, self.decode(value) if value else None)
        finally:
            consumer.close()

    def register(self, topic):
        rows = {}
        for _, _, _, key, _, record in self.records(topic):
            if record is None:
                rows.pop(key, None)
            else:
                rows[key] = record
        return rows

    def events(self, topic, number):
        rows = {}
        for *_, record in self.records(topic):
            rows.setdefault(record[number], record)
        return rows


def plain(name):
    """Rule 5: when are two names one name?"""
    name = name.replace("\u00a0", " ").replace("\u2019", "'").replace("\u2018", "'").upper().split(",")[0]
    words = name.split()
    while words and words[0] in ("H.", "HJ.", "DR.", "DRA.", "DRS.", "IR.", "DRG.", "PROF."):
        words.pop(0)
    return " ".join(words)


def years(born, day):
    d = datetime.date.fromisoformat(day)
    return d.year - born.year - ((d.month, d.day) < (born.month, born.day))


class City:
    def __init__(self, topics):
        t = topics
        self.penduduk = t.register("pku.disdukcapil.penduduk.v1")
        self.peristiwa = t.events("pku.disdukcapil.peristiwa.v1", "id_peristiwa")
        self.kunjungan = t.events("pku.dinkes.kunjungan.v1", "id_kunjungan")
        self.bansos = t.register("pku.dinsos.bansos.v1")
        self.siswa = t.register("pku.disdik.siswa.v1")
        self.pbb = t.register("pku.bapenda.pbb.v1")
        self.nib = t.register("pku.dpmptsp.nib.v1")
        self.asn = t.register("pku.bkpsdm.asn.v1")
        self.berkas = {opd: t.register("pku.%s.berkas.v1" % opd)
                       for opd in "disdukcapil dinkes dinsos disdik bapenda dpmptsp bkpsdm".split()}
        self.warga = self.fold()
        self.family = group(self.warga.items(), lambda kv: kv[1]["id_keluarga"], lambda kv: kv[0])
        self.aid = group(self.bansos.items(), lambda kv: kv[1]["id_subjek"])
        self.tax = group(self.pbb.values(), lambda p: p["id_subjek"])
        self.business = group(self.nib.values(), lambda n: n["id_subjek"])
        self.staff = group(self.asn.items(), lambda kv: kv[1]["id_subjek"])
        self.shots = group((k for k in self.kunjungan.values() if k["vaksin"] is not None), lambda k: k["id_subjek"],
                           lambda k: k["vaksin"])
        self.pupil = group(self.siswa.values(), lambda s: s["id_subjek"])

    def fold(self):
        """Snapshot and events: the declared merge rule of gateway/views/README.md."""
        people = {}
        for key, p in self.penduduk.items():
            people[key] = {f: p[f] for f in "nik id_keluarga no_kk nama tgl_lahir jenis_kelamin kode_kel".split()}
        ordered = sorted(self.peristiwa.values(), key=lambda e: (e["waktu_entri"], e["id_peristiwa"]))
        for e in ordered:
            if e["jenis"] in ("LAHIR", "PINDAH_DATANG") and e["id_subjek"] not in people:
                people[e["id_subjek"]] = {f: e[f] for f in
                                          "nik id_keluarga no_kk nama tgl_lahir jenis_kelamin kode_kel".split()}
        for p in people.values():
            p.update(status="H", tgl_mati=None, events=[])
        for e in ordered:
            p = people.get(e["id_subjek"])
            if not p:
                continue
            p["events"].append(e)
            for field in ("id_keluarga", "no_kk", "nama", "kode_kel"):
                if e[field]:
                    p[field] = e[field]
            if e["jenis"] == "MATI":
                p["tgl_mati"] = p["tgl_mati"] or e["tgl_peristiwa"].isoformat()
            elif e["jenis"] == "PINDAH_KELUAR":
                p["status"] = "P"
            elif e["jenis"] in ("LAHIR", "PINDAH_DATANG"):
                p["status"] = "H"
        for p in people.values():
            if any(e["jenis"] == "MATI" for e in p["events"]):
                p["status"] = "M"
        return people

    def active_aid(self, who):
        return [b for _, b in self.aid.get(who, []) if b["status"] == "AKTIF"]

    def relatives(self, who):
        return self.family.get(self.warga[who]["id_keluarga"], []) if who in self.warga else []

    def owed(self, who):
        return sum(p["terutang"] - p["dibayar"] for p in self.tax.get(who, []) if p["terutang"] > p["dibayar"]) if who else 0

    # --- the views, by name: each gives {key: row} ---

    def kelayakan_bansos(self):
        rows = {}
        newest = collections.defaultdict(int)
        for p in self.pbb.values():
            newest[p["nop"]] = max(newest[p["nop"]], p["tahun"])
        for who in set(self.warga) | {w for w in self.aid if w}:
            w = self.warga.get(who)
            worth = sum(p["njop"] for p in self.tax.get(who, []) if p["tahun"] == newest[p["nop"]])
            rows[who] = {
                "id_subjek": who, "padan_dukcapil": bool(w),
                "status_hidup": {"H": "HIDUP", "M": "MENINGGAL", "P": "PINDAH"}[w["status"]] if w else "TIDAK_DIKENAL",
                "domisili_kota": bool(w) and w["status"] == "H", "kode_kel": w["kode_kel"] if w else None,
                "asn_di_keluarga": any(a["status"] in ("AKTIF", "CUTI", "PENSIUN")
                                       for k in self.relatives(who) for _, a in self.staff.get(k, [])),
                "usaha_bukan_mikro": any(n["status"] == "AKTIF" and any(p["skala"] in ("KECIL", "MENENGAH", "BESAR")
                                                                        for p in n["proyek"])
                                         for n in self.business.get(who, [])),
                "njop_kelas": "NIHIL" if not worth else "<100JT" if worth < 100000000 else
                              "100-500JT" if worth <= 500000000 else ">500JT",
                "bantuan_berjalan": sorted({b["program"] for b in self.active_aid(who)}),
            }
        return rows

    def pbi_jk_anomali(self):
        rows = {}
        for key, b in self.bansos.items():
            if b["program"] != "PBI-JK" or b["status"] != "AKTIF":
                continue
            who, w = b["id_subjek"], self.warga.get(b["id_subjek"])
            again = bool(who) and sum(x["program"] == "PBI-JK" for x in self.active_aid(who)) > 1
            row = {"id_bansos": key, "id_subjek": who, "nik": b["nik"], "nama": b["nama"],
                   "kode_kel": w["kode_kel"] if w else None, "nik_tidak_sah": who is None,
                   "tidak_dikenal": who is not None and not w, "meninggal": bool(w) and w["status"] == "M",
                   "pindah": bool(w) and w["status"] == "P", "ganda": again,
                   "beda_nama": bool(w) and plain(b["nama"]) != plain(w["nama"]), "tgl_mati": w["tgl_mati"] if w else None}
            if any(row[f] for f in ("nik_tidak_sah", "tidak_dikenal", "meninggal", "pindah", "ganda", "beda_nama")):
                rows[key] = row
        return rows

    def kematian(self):
        return {k: {"id_subjek": k, "tgl_mati": w["tgl_mati"]} for k, w in self.warga.items() if w["status"] == "M"}

    def kelahiran(self):
        schedule = "HB0 BCG POLIO1 DPT1 POLIO2 DPT2 POLIO3 DPT3 POLIO4 MR1".split()
        rows = {}
        for who, w in self.warga.items():
            if w["status"] != "H" or not any(e["jenis"] == "LAHIR" for e in w["events"]):
                continue
            had = sorted(set(self.shots.get(who, [])))
            rows[who] = {"id_subjek": who, "id_keluarga": w["id_keluarga"], "tgl_lahir": iso(w["tgl_lahir"]),
                         "kode_kel": w["kode_kel"],
                         "keluarga_pbi_jk": any(b["program"] == "PBI-JK" for k in self.relatives(who)
                                                for b in self.active_aid(k)),
                         "antigen": had, "antigen_berikut": next((a for a in schedule if a not in had), None)}
        return rows

    def pindah_datang(self):
        rows = {}
        for who, w in self.warga.items():
            came = [e for e in w["events"] if e["jenis"] == "PINDAH_DATANG"]
            if w["status"] == "H" and came:
                rows[who] = {"id_subjek": who, "id_keluarga": w["id_keluarga"], "tgl_lahir": iso(w["tgl_lahir"]),
                             "tgl_datang": came[-1]["tgl_peristiwa"].isoformat(), "kode_kel": w["kode_kel"]}
        return rows

    def izin_status_pajak(self):
        rows = {}
        for n in self.nib.values():
            who, owed = n["id_subjek"], self.owed(n["id_subjek"])
            rows[n["nib"]] = {
                "nib": n["nib"], "status_nib": n["status"], "patuh": None if who is None else owed == 0,
                "tunggakan_kelas": None if who is None else "NIHIL" if owed == 0 else "<1JT" if owed < 1000000 else
                "1-10JT" if owed <= 10000000 else ">10JT",
                "jenis": ["PBB"] if owed else []}
        return rows

    def asn_keluarga_penerima_bansos(self):
        rows = {}
        for key, a in self.asn.items():
            if a["status"] != "AKTIF" or a["id_subjek"] not in self.warga:
                continue
            receiving = sum(bool(self.active_aid(k)) for k in self.relatives(a["id_subjek"]))
            if receiving:
                rows[key] = {"id_asn": key, "id_keluarga": self.warga[a["id_subjek"]]["id_keluarga"], "nama": a["nama"],
                             "kode_opd": a["kode_opd"] or "TIDAK_DIKETAHUI", "penerima": receiving}
        return rows

    def asn_penerima_bansos_per_opd(self):
        count = collections.Counter(r["kode_opd"] for r in self.asn_keluarga_penerima_bansos().values())
        return {k: {"kode_opd": k, "jumlah": n} for k, n in count.items()}

    def rentan_bencana(self, day=DAY):
        rows = {}
        for who, w in self.warga.items():
            age = years(w["tgl_lahir"], day) if w["tgl_lahir"] else None
            if w["status"] == "H" and age is not None and (age < 5 or age >= 60):
                rows[who] = {"id_subjek": who, "nama": w["nama"], "tgl_lahir": iso(w["tgl_lahir"]),
                             "kelompok": "BALITA" if age < 5 else "LANSIA", "kode_kel": w["kode_kel"]}
        return rows

    def penduduk_per_tahun_lahir(self):
        rows = {}
        for w in self.warga.values():
            if w["status"] != "H":
                continue
            year = "%04d" % w["tgl_lahir"].year if w["tgl_lahir"] else "TIDAK_DIKETAHUI"
            row = rows.setdefault(w["kode_kel"] + "." + year, {
                "sel": w["kode_kel"] + "." + year, "kode_kel": w["kode_kel"], "tahun": year, "jumlah": 0,
                "laki_laki": 0, "perempuan": 0})
            row["jumlah"] += 1
            row["laki_laki"] += w["jenis_kelamin"] == "L"
            row["perempuan"] += w["jenis_kelamin"] == "P"
        return rows

    def anak_7_15_tidak_terdaftar(self, day=DAY):
        rows = {}
        for who, w in self.warga.items():
            age = years(w["tgl_lahir"], day) if w["tgl_lahir"] else None
            states = {s["status"] for s in self.pupil.get(who, [])}
            if w["status"] != "H" or age is None or not 7 <= age <= 15 or "AKTIF" in states:
                continue
            known = w["kode_kel"].startswith("1")
            rows[who] = {"id_subjek": who, "nik": w["nik"], "nama": w["nama"], "tgl_lahir": iso(w["tgl_lahir"]),
                         "kode_kel": w["kode_kel"], "kode_kec": w["kode_kel"][:6] if known else "TIDAK_DIKETAHUI",
                         "umur": age, "alasan_dugaan": "PUTUS" if "KELUAR" in states else "LULUS_TDK_LANJUT"
                         if "LULUS" in states else "PINDAH_SEKOLAH" if "MUTASI" in states else "BELUM_PERNAH"}
        return rows

    def kualitas_umpan(self):
        rows = {}
        for opd, files in self.berkas.items():
            done = group((f for f in files.values() if f["status"] in ("SELESAI", "TERPOTONG")), lambda f: f["umpan"])
            for feed, all_files in done.items():
                last = max(f["urutan"] for f in all_files)
                counted = [f for f in all_files if not f["lengkap"] or f["urutan"] == last]
                row = {"umpan": feed, "opd": opd, "berkas": len(counted),
                       "selesai": max(iso_time(f["selesai"]) for f in counted)}
                for name in ("baris_data", "diterima", "ditolak", "tak_tergabung"):
                    row[name] = sum(f[name] for f in counted)
                row["persen_diterima"] = round(100.0 * row["diterima"] / row["baris_data"], 2) if row["baris_data"] else None
                rows[feed] = row
        return rows


def iso(day):
    return day.isoformat() if day else None


def iso_time(when):
    text = when.astimezone(WIB).isoformat(timespec="milliseconds")
    return re.sub(r"\.000(?=\+)", "", text)


def group(items, key, value=lambda x: x):
    out = collections.defaultdict(list)
    for item in items:
        out[key(item)].append(value(item))
    return out
