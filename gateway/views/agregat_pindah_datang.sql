/*---
name: agregat_pindah_datang
title: {id: 'Pendatang per kelurahan dan bulan', en: 'Newcomers by kelurahan and month'}
about:
  id: 'Banyaknya orang yang datang dari luar kota, menurut kelurahan tujuan dan bulan datang.'
  en: 'People who came from elsewhere, by the kelurahan they came to and the month.'
owner: disdukcapil
purpose: {id: 'Satu definisi bagi setiap angka: pusat data nasional, provinsi, umum', en: 'One definition of every figure: the national data centre, the province, the public'}
basis: Perpres 39/2019
freshness: {max_age: 31d, inputs: {disdukcapil_penduduk: 366d}}
access: open
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: kelurahan
  concept: {id: 'Pendatang: orang yang pindah masuk dari luar kota', en: 'A newcomer: a person who moved in from elsewhere'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Cacah peristiwa menurut kelurahan dan bulan, en: Number of events by kelurahan and month}
  unit: peristiwa
  keywords: [agregat, pindah_datang, kelurahan]
internal: true
figures: {area: kode_kel, month: bulan, count: jumlah, areas: penduduk_hidup_per_kelurahan}
key: sel
store: full
columns:
  sel: {type: text, pdp: N, title: {id: Kelurahan.bulan, en: Kelurahan.month}, from: [disdukcapil_peristiwa.kode_kel, disdukcapil_peristiwa.tgl_peristiwa]}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}, from: [disdukcapil_peristiwa.kode_kel]}
  bulan: {type: text, pdp: N, title: {id: Bulan, en: Month}, from: [disdukcapil_peristiwa.tgl_peristiwa]}
  jumlah: {type: int, pdp: N, unit: peristiwa, title: {id: Jumlah, en: Count}}
---*/
SELECT coalesce(kode_kel, '') || '.' || coalesce(substr(tgl_peristiwa, 1, 7), '') AS sel, coalesce(kode_kel, '') AS kode_kel,
       coalesce(substr(tgl_peristiwa, 1, 7), '') AS bulan, count(*) AS jumlah
FROM disdukcapil_peristiwa
WHERE jenis = 'PINDAH_DATANG'
GROUP BY coalesce(kode_kel, ''), coalesce(substr(tgl_peristiwa, 1, 7), '')
