/*---
name: rentan_bencana
title: {id: Warga rentan bila terjadi bencana, en: Residents to be helped first in a disaster}
about:
  id: 'Balita (di bawah 5 tahun) dan lansia (60 tahun ke atas) yang hidup di kota pada hari itu, menurut kelurahan. Daftar bernama hanya selama status darurat (izin berjangka 72 jam).'
  en: 'Children under 5 and people of 60 or more who live in the city on the day, by kelurahan. The list is for a state of emergency only (a grant of 72 hours).'
owner: disdukcapil
purpose:
  id: Menentukan siapa yang dievakuasi lebih dahulu
  en: Deciding whom to evacuate first
basis: UU 24/2007 pasal 48; UU 27/2022 pasal 20(2)d
dpia: rentan_bencana
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: JUST
  area: orang
  concept: {id: 'Kelompok rentan: balita dan lansia, yang dievakuasi lebih dahulu', en: 'The vulnerable: young children and the old, to be evacuated first'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [bencana, balita, lansia]
scope: [kode_kel]
key: id_subjek
dated: true
routes:
  warga: id_subjek
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nama: {type: text, pdp: A, title: {id: Nama, en: Name}}
  tgl_lahir: {type: text, pdp: A, title: {id: Tanggal lahir, en: Date of birth}}
  kelompok: {type: text, pdp: U, title: {id: BALITA atau LANSIA, en: Child under 5 (BALITA) or of 60 and more (LANSIA)}, from: [warga.tgl_lahir]}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
---*/
SELECT w.id_subjek, w.nama, w.tgl_lahir,
       CASE WHEN usia_tahun(w.tgl_lahir, :per_tanggal) < 5 THEN 'BALITA'
            WHEN usia_tahun(w.tgl_lahir, :per_tanggal) >= 60 THEN 'LANSIA' END AS kelompok,
       w.kode_kel
FROM warga w
WHERE w.status = 'H' AND w.tgl_lahir IS NOT NULL
  AND (:per_tanggal IS NULL OR usia_tahun(w.tgl_lahir, :per_tanggal) < 5 OR usia_tahun(w.tgl_lahir, :per_tanggal) >= 60)
