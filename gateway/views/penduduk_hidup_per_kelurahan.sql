/*---
name: penduduk_hidup_per_kelurahan
title: {id: Penduduk hidup per kelurahan, en: Living residents per kelurahan}
about: {id: Jumlah warga yang hidup di tiap kelurahan., en: How many living residents each kelurahan has.}
owner: disdukcapil
purpose: {id: Jumlah penduduk per kelurahan untuk perencanaan, en: Numbers of residents by kelurahan for planning}
basis: Perpres 39/2019
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: SOCI
  area: kelurahan
  concept: {id: 'Penduduk: orang yang terdaftar bertempat tinggal di kota', en: 'A resident: a person registered as living in the city'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Cacah orang menurut kelurahan, en: Number of persons by kelurahan}
  unit: orang
  keywords: [penduduk, kelurahan]
key: kode_kel
store: full
pace: group
routes:
  warga: kode_kel
columns:
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  jumlah: {type: int, pdp: N, title: {id: Jumlah, en: Number}}
---*/
SELECT kode_kel, count(*) AS jumlah
FROM warga
WHERE status = 'H'
GROUP BY kode_kel
