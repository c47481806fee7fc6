"""Files as offices write them, made here: each a name, its bytes, and how many records a careful person counts."""
import csv
import io
import json
import random

import openpyxl

KECAMATAN = ["SUKAJADI", "SAIL", "SENAPELAN", "LIMA PULUH", "BUKIT RAYA", "TAMPAN", "RUMBAI", "PAYUNG SEKAKI",
             "MARPOYAN DAMAI", "TENAYAN RAYA", "KULIM", "TUAHMADANI"]


def table(n=40, seed=1):
    r = random.Random(seed)
    return [[str(i + 1), "14.71.%02d" % (i % 15 + 1), KECAMATAN[i % 12], "Kelurahan %c%d" % (65 + i % 26, i),
             "%02d/%02d/2024" % (r.randint(1, 28), r.randint(1, 12)), str(r.randint(100, 9999)),
             "%d,%02d" % (r.randint(1, 99), r.randint(1, 99))] for i in range(n)]


HEAD = ["No", "Kode", "Kecamatan", "Kelurahan", "Tanggal", "Jumlah Penduduk", "Luas (km2)"]


def text(rows, sep=";", eol="\r\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    csv.writer(out, delimiter=sep, lineterminator=eol, quoting=quoting).writerows(rows)
    return out.getvalue()


def delimited():
    rows = table()
    blank, w = [""] * 7, len(HEAD)
    total = ["", "", "JUMLAH", "", "", "200000", "1000,00"]

    def pad(*cells):
        return list(cells) + [""] * (w - len(cells))

    yield "polos.csv", text([HEAD] + rows).encode(), 40
    yield "koma_bom.csv", text([HEAD] + rows, ",").encode("utf-8-sig"), 40
    yield "tab.txt", text([HEAD] + rows, "\t").encode(), 40
    yield "pipa.psv", text([HEAD] + rows, "|", "\n").encode(), 40
    yield "utf16le.csv", text([HEAD] + rows, "\t").encode("utf-16"), 40
    yield "utf16be.csv", b"\xfe\xff" + text([HEAD] + rows, ";").encode("utf-16-be"), 40
    yield "utf16_tanpa_bom.csv", text([HEAD] + rows, ";").encode("utf-16-le"), 40
    eropa = [r[:3] + ["Caf\xe9 " + r[3]] + r[4:] for r in rows]
    yield "cp1252.csv", text([HEAD] + eropa).encode("cp1252"), 40
    yield "dikutip.csv", text([HEAD] + rows, ",", quoting=csv.QUOTE_ALL).encode(), 40
    yield "tanpa_akhir.csv", text([HEAD] + rows).rstrip("\r\n").encode(), 40
    yield "judul.csv", text([pad("DATA PENDUDUK KOTA PEKANBARU"), pad("TAHUN 2024"), blank, HEAD] + rows).encode(), 40
    yield "judul_tanpa_pemisah.csv", ("DATA PENDUDUK KOTA PEKANBARU\r\nPer 31 Desember 2024\r\n\r\n" +
                                      text([HEAD] + rows)).encode(), 40
    yield "kaki.csv", text([HEAD] + rows + [total, blank, pad("Sumber: Disdukcapil Kota Pekanbaru"),
                                            pad("Catatan: angka sementara")]).encode(), 40
    yield "kaki_tanpa_pemisah.csv", (text([HEAD] + rows + [total]) +
                                     "\r\nSumber: Disdukcapil, 2024\r\nDicetak 3 Januari 2025\r\n").encode(), 40
    tanda_tangan = [[""] * 5 + [s, ""] for s in ("Pekanbaru, 31 Desember 2024", "Kepala Dinas", "", "BUDI SANTOSO",
                                                 "NIP. 197001011990031001")]
    yield "tanda_tangan.csv", text([HEAD] + rows + [total, blank] + tanda_tangan).encode(), 40
    sub = []
    for i in range(0, 40, 10):
        sub += rows[i:i + 10] + [["", "", "Jumlah Kecamatan %s" % KECAMATAN[i // 10], "", "", "5000", "12,00"]]
    yield "subtotal.csv", text([HEAD] + sub + [["", "", "TOTAL", "", "", "20000", "48,00"]]).encode(), 40
    kelompok = []
    for i in range(0, 40, 10):
        kelompok += [pad("WILAYAH %s" % "ABCD"[i // 10])] + rows[i:i + 10]
    yield "kelompok.csv", text([HEAD] + kelompok).encode(), 40
    yield "baris_kosong.csv", text([HEAD] + rows[:20] + [blank, blank] + rows[20:] + [blank]).encode(), 40
    halaman = []
    for i in range(0, 40, 10):
        halaman += [HEAD] + rows[i:i + 10] + [blank]
    yield "halaman.csv", text(halaman).encode(), 40
    dua = [["No", "Wilayah", "", "", "Isi", "", ""], ["", "Kode", "Kecamatan", "Kelurahan", "Tanggal", "Penduduk", "Luas"]]
    yield "kepala_dua.csv", text(dua + rows).encode(), 40
    yield "kepala_dua_judul.csv", text([pad("LAPORAN"), blank] + dua + rows + [total]).encode(), 40
    nomor = ["(%d)" % (i + 1) for i in range(w)]
    yield "nomor_kolom.csv", text([HEAD, nomor] + rows + [total]).encode(), 40
    yield "nomor_kolom_polos.csv", text([HEAD, [str(i + 1) for i in range(w)]] + rows).encode(), 40
    yield "tanpa_kepala.csv", text(rows).encode(), 40
    alamat = [r[:3] + ["Jl. Sudirman\nNo. %s, RT 01" % r[0]] + r[4:] for r in rows]
    yield "baris_dalam_kutip.csv", text([HEAD] + alamat, ",").encode(), 40
    yield "kepala_ganda.csv", text([["No", "Kode", "Nama", "Nama", "Tanggal", "Jumlah", "Jumlah"]] + rows).encode(), 40
    yield "ujung_berlebih.csv", text([HEAD + ["", ""]] + [r + ["", ""] for r in rows]).encode(), 40
    yield "data_berlebih.csv", text([HEAD] + [r + [""] for r in rows]).encode(), 40
    yield "satu_baris.csv", text([HEAD, rows[0]]).encode(), 1
    yield "dua_baris.csv", text([HEAD] + rows[:2]).encode(), 2
    teks = [["nama", "jenis", "kecamatan"]] + [["SDN %d" % i, "NEGERI" if i % 3 else "SWASTA", KECAMATAN[i % 12]]
                                               for i in range(30)]
    yield "semua_teks.csv", text(teks, ",").encode(), 30
    yield "satu_kolom.csv", ("npsn\n" + "".join("104%05d\n" % i for i in range(25))).encode(), 25
    indikator = [["Uraian", "2021", "2022", "2023"]] + [[u, str(100 + i), str(200 + i), str(7 * i)] for i, u in enumerate(
        ["Jumlah Penduduk", "Jumlah KK", "Kepadatan", "Jumlah Kecamatan", "Total Fertility Rate", "Angka Harapan Hidup"])]
    yield "indikator.csv", text(indikator, ",").encode(), 6
    kosong = [r[:5] + ["", ""] if i % 7 == 0 else r for i, r in enumerate(rows)]
    yield "isian_kosong.csv", text([HEAD] + kosong).encode(), 40
    rusak = text([HEAD] + rows).split("\r\n")
    rusak[11] += ";lebih;lebih"
    rusak[21] = ";".join(rusak[21].split(";")[:4])
    yield "baris_rusak.csv", "\r\n".join(rusak).encode(), 40


def fixed():
    rows = table()
    fmt = "%-4s %-9s %-16s %-15s %-10s %8s %7s"
    lines = [fmt % tuple(r) for r in rows]
    head = fmt % ("NO", "KODE", "KECAMATAN", "KELURAHAN", "TANGGAL", "JUMLAH", "LUAS")
    yield "lebar_tetap.txt", "\n".join([head] + lines).encode(), 40
    yield "lebar_tetap_tanpa_kepala.txt", ("\r\n".join(lines) + "\r\n").encode(), 40
    yield "lebar_tetap_garis.txt", "\n".join(["LAPORAN PENDUDUK", "", head, "-" * len(head)] + [s.rstrip() for s in lines] +
                                             ["-" * len(head), fmt % ("", "", "JUMLAH", "", "", "99999", "")]).encode(), 40
    yield "rekaman.txt", "\n".join(["HBAPENDA 20241231"] + ["D%010d%-20s%012d" % (i, KECAMATAN[i % 12], i * 1000)
                                                           for i in range(40)] + ["T%010d" % 40, ""]).encode(), 40


def other():
    rows = [{"id": i, "nama": "A%d" % i, "lokasi": {"kec": KECAMATAN[i % 12], "lat": 0.5 + i / 100}, "aktif": i % 2 == 0,
             "tag": ["x", "y"]} for i in range(30)]
    yield "larik.json", json.dumps(rows).encode(), 30
    yield "larik_rapi.json", json.dumps(rows, indent=2).encode("utf-8-sig"), 30
    yield "dibungkus.json", json.dumps({"status": "ok", "meta": {"total": 30}, "hasil": {"data": rows}}).encode(), 30
    yield "baris.ndjson", "".join(json.dumps(r) + "\n" for r in rows).encode(), 30
    yield "satu.ndjson", (json.dumps({"id": 1, "nama": "x"}) + "\n").encode(), 1
    yield "peta.geojson", json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"kode": "K%d" % i, "nama": "T"}, "geometry": {
            "type": "Point", "coordinates": [101.4, 0.5]}} for i in range(17)]}).encode(), 17
    insert = "CREATE TABLE `warga` (\n `id` int NOT NULL,\n `nama` varchar(50),\n PRIMARY KEY (`id`)\n);\n" + \
        "INSERT INTO `warga` VALUES " + ",".join("(%d,'N;%d\\'(x')" % (i, i) for i in range(25)) + ";\n" + \
        "INSERT INTO `lain` (`a`,`b`) VALUES (1,2),(3,4);\n"
    yield "mysql.sql", ("-- MySQL dump 10.13\n" + insert).encode(), 25
    yield "pg.sql", ("--\n-- PostgreSQL database dump\n--\nSET client_encoding = 'UTF8';\nCREATE TABLE public.p (a int, b text);\n"
                     "COPY public.p (a, b) FROM stdin;\n" + "".join("%d\tx%d\n" % (i, i) for i in range(33)) + "\\.\n").encode(), 33
    yield "pg_insert.sql", ("--\n-- PostgreSQL database dump\n--\n" + "".join(
        "INSERT INTO public.p (a, b) VALUES (%d, 'x''%d');\n" % (i, i) for i in range(21))).encode(), 21


def book(fill):
    wb = openpyxl.Workbook()
    fill(wb)
    out = io.BytesIO()
    wb.save(out)
    return out.getvalue()


def workbooks():
    rows = [[int(r[0])] + r[1:5] + [int(r[5]), float(r[6].replace(",", "."))] for r in table()]

    def plain(wb):
        for r in [HEAD] + rows:
            wb.active.append(r)

    def titled(wb):
        ws = wb.active
        ws.merge_cells("A1:G1")
        ws["A1"] = "DATA PENDUDUK KOTA PEKANBARU"
        ws["A2"] = "TAHUN 2024"
        for i, r in enumerate([HEAD] + rows + [[None, None, "JUMLAH", None, None, "=SUM(F5:F44)", None]]):
            for k, v in enumerate(r):
                ws.cell(4 + i, 1 + k, v)
        ws.cell(47, 1, "Sumber: Disdukcapil")

    def merged(wb):
        ws = wb.active
        for span, v in {"A3:A4": "NO", "B3:B4": "KODE", "C3:D3": "WILAYAH", "E3:E4": "TANGGAL", "F3:G3": "ISI"}.items():
            ws.merge_cells(span)
            ws[span.split(":")[0]] = v
        for place, v in {"C4": "KECAMATAN", "D4": "KELURAHAN", "F4": "PENDUDUK", "G4": "LUAS"}.items():
            ws[place] = v
        for i, r in enumerate(rows):
            for k, v in enumerate(r):
                ws.cell(5 + i, 1 + k, v)

    def sheets(wb):
        wb.active.title = "Petunjuk"
        wb.active["A1"] = "Isilah lembar Data"
        ws = wb.create_sheet("Data")
        for r in [HEAD] + rows:
            ws.append(r)
        ref = wb.create_sheet("Referensi")
        for i in range(5):
            ref.append(["K%d" % i, "Nama %d" % i])

    def stacked(wb):
        ws = wb.active
        ws.append(["A. RINGKASAN"])
        for r in [["Uraian", "Nilai"], ["Pria", 10], ["Wanita", 12]]:
            ws.append(r)
        ws.append([])
        ws.append(["B. RINCIAN"])
        for r in [HEAD] + rows:
            ws.append(r)

    yield "polos.xlsx", book(plain), 40
    yield "judul.xlsx", book(titled), 40
    yield "gabung.xlsx", book(merged), 40
    yield "lembar.xlsx", book(sheets), 40
    yield "bertumpuk.xlsx", book(stacked), 40


def xml():
    rows = [(r[1], r[2], r[5]) for r in table()]
    row = "<unit><kode>%s</kode><nama>%s</nama><jumlah>%s</jumlah></unit>"
    plain = "<daftar tanggal='2024-01-31'>\n<catatan>a</catatan>\n<catatan>b</catatan>\n" + "\n".join(
        row % (k + str(i), n, j) for i, (k, n, j) in enumerate(rows)) + "\n</daftar>\n"
    yield "polos.xml", ("<?xml version='1.0' encoding='UTF-8'?>\n" + plain).encode(), 40
    yield "utf16.xml", ("<?xml version='1.0' encoding='UTF-16'?>\n" + plain).encode("utf-16"), 40
    yield "latin.xml", ("<?xml version='1.0' encoding='ISO-8859-1'?>\n" + plain.replace("SUKAJADI", "SUKAJAD\u00cd")).encode("latin-1"), 40
    yield "atribut.xml", ("<a><b/><c>" + "".join("<d kode='%d' nama='%s'/>" % (i, r[1]) for i, r in enumerate(rows)) + "</c></a>").encode(), 40
    # Each record has several of something: there are more of these than of records.
    nested = "".join("<p:warga><p:no>W%03d</p:no><p:hp>1</p:hp><p:hp>2</p:hp><p:hp>3</p:hp><q:no>x</q:no></p:warga>" % i for i in range(30))
    yield "soap.xml", ("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:p='urn:p' xmlns:q='urn:q'><s:Body><p:jawab>"
                       + nested + "</p:jawab></s:Body></s:Envelope>").encode(), 30
    wrapped = "".join("<m:anggota><k:sekolah id='S%d'><k:nama>%s</k:nama></k:sekolah></m:anggota>" % (i, r[1]) for i, r in enumerate(rows))
    yield "bungkus.xml", ("<m:koleksi xmlns:m='urn:m' xmlns:k='urn:k'>" + wrapped + "</m:koleksi>").encode(), 40


def all_cases():
    for make in (delimited, fixed, other, workbooks, xml):
        yield from make()
