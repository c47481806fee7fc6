/*---
name: pindah_datang
title: {id: Pendatang, en: Newcomers}
about:
  id: 'Penduduk yang datang dari luar kota dan masih tinggal di sini: kapan datang dan di kelurahan mana sekarang, untuk tempat sekolah, JKN, bantuan, alamat pajak.'
  en: 'People who came from elsewhere and still live here: when they came and where they live now, for school places, insurance, assistance, tax addresses.'
owner: disdukcapil
purpose:
  id: Pendatang terlihat oleh layanan pada hari yang sama
  en: Newcomers are seen by services the same day
basis: UU 23/2006 jo. UU 24/2013; UU 27/2022 pasal 20(2)e
dpia: pindah_datang
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Pendatang: penduduk yang pindah masuk dari luar kota', en: 'A newcomer: a resident who moved in from elsewhere'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [pindah_datang, penduduk]
scope: [kode_kel]
key: id_subjek
routes:
  warga: id_subjek
  disdukcapil_peristiwa: id_subjek
indexes:
  - {table: disdukcapil_peristiwa, columns: [id_subjek, waktu_entri, id_peristiwa]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  id_keluarga: {type: text, pdp: P, title: {id: Nama samaran KK, en: Pseudonym of the family card}}
  tgl_datang: {type: text, pdp: U, title: {id: Tanggal datang, en: Date of arrival}, from: [disdukcapil_peristiwa.tgl_peristiwa]}
  tgl_lahir: {type: text, pdp: U, title: {id: Tanggal lahir, en: Date of birth}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan sekarang, en: Kelurahan now}}
---*/
SELECT w.id_subjek AS id_subjek, w.id_keluarga AS id_keluarga,
       (SELECT e.tgl_peristiwa FROM disdukcapil_peristiwa e
        WHERE e.id_subjek = w.id_subjek AND e.jenis = 'PINDAH_DATANG'
        ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1) AS tgl_datang,
       w.tgl_lahir AS tgl_lahir, w.kode_kel AS kode_kel
FROM warga w
WHERE w.status = 'H'
  AND EXISTS (SELECT 1 FROM disdukcapil_peristiwa e WHERE e.id_subjek = w.id_subjek AND e.jenis = 'PINDAH_DATANG')
