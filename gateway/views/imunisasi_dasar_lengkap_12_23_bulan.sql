/*---
name: imunisasi_dasar_lengkap_12_23_bulan
title: {id: Imunisasi dasar anak 12-23 bulan, en: Basic immunisation of children of 12-23 months}
about:
  id: 'Satu baris per anak hidup 12-23 bulan pada hari itu; lengkap: HB0, BCG, POLIO1-4, DPT1-3 dan MR1 tercatat.'
  en: 'One row for each living child of 12-23 completed months on the day; complete: HB0, BCG, POLIO1-4, DPT1-3 and MR1 recorded.'
owner: dinkes
purpose: {id: Menemukan anak yang imunisasinya belum lengkap, en: Finding children whose immunisation is incomplete}
basis: Permenkes 12/2017; UU 27/2022 pasal 25
dpia: imunisasi_dasar_lengkap_12_23_bulan
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: HEAL
  area: orang
  concept: {id: 'Imunisasi dasar lengkap: semua antigen dasar diterima sebelum usia dua tahun', en: 'Full basic immunisation: every basic antigen received before the age of two'}
  classification: {id: Antigen program imunisasi nasional; kode wilayah Kemendagri, en: 'Antigens of the national programme; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per anak, en: One row for each child}
  unit: orang
  keywords: [imunisasi, anak, kesehatan]
scope: [kode_kel]
key: id_subjek
dated: true
routes:
  warga: id_subjek
  dinkes_kunjungan: id_subjek
indexes:
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: A, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: A, title: {id: Nama, en: Name}}
  tgl_lahir: {type: text, pdp: A, title: {id: Tanggal lahir, en: Date of birth}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  lengkap: {type: bool, pdp: S, title: {id: Lengkap, en: Complete}}
---*/
SELECT w.id_subjek, w.nik, w.nama, w.tgl_lahir, w.kode_kel,
       (SELECT count(DISTINCT k.vaksin) FROM dinkes_kunjungan k
        WHERE k.id_subjek = w.id_subjek
          AND k.vaksin IN ('HB0', 'BCG', 'POLIO1', 'POLIO2', 'POLIO3', 'POLIO4',
                           'DPT1', 'DPT2', 'DPT3', 'MR1')) = 10 AS lengkap
FROM warga w
WHERE w.status = 'H'
  AND (:per_tanggal IS NULL OR usia_bulan(w.tgl_lahir, :per_tanggal) BETWEEN 12 AND 23)
