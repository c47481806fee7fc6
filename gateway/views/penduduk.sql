/*---
name: penduduk
title: {id: Penduduk kota, en: 'Residents of the city'}
about:
  id: Jumlah penduduk menurut potret awal tahun dan peristiwanya.
  en: 'Residents counted: the snapshot and what the events made of it.'
owner: disdukcapil
purpose: {id: Jumlah penduduk untuk semua perencanaan, en: Numbers of residents for all planning}
basis: Perpres 39/2019
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: SOCI
  area: kota
  concept: {id: 'Penduduk: orang yang terdaftar bertempat tinggal di kota', en: 'A resident: a person registered as living in the city'}
  classification: {id: 'Status penduduk: hidup, meninggal, pindah', en: 'Status of a resident: living, dead, moved'}
  measure: {id: Cacah orang, en: Number of persons}
  unit: orang
  keywords: [penduduk]
key: wilayah
store: full
pace: total
routes:
  disdukcapil_penduduk: SELECT 'kota'
  warga: SELECT 'kota'
columns:
  wilayah: {type: text, pdp: N, title: {id: Wilayah, en: Area}}
  awal: {type: int, pdp: N, title: {id: Dalam potret, en: In the snapshot}}
  hidup_di_kota: {type: int, pdp: N, title: {id: Hidup di kota, en: Living here}}
  meninggal: {type: int, pdp: N, title: {id: Meninggal, en: Dead}}
  pindah_keluar: {type: int, pdp: N, title: {id: Pindah keluar, en: Moved away}}
  laki_laki: {type: int, pdp: N, title: {id: Laki-laki, en: Male}}
  perempuan: {type: int, pdp: N, title: {id: Perempuan, en: Female}}
---*/
SELECT 'kota' AS wilayah,
       (SELECT count(id_subjek) FROM disdukcapil_penduduk) AS awal,
       (SELECT count(*) FROM warga WHERE status = 'H') AS hidup_di_kota,
       (SELECT count(*) FROM warga WHERE status = 'M') AS meninggal,
       (SELECT count(*) FROM warga WHERE status = 'P') AS pindah_keluar,
       (SELECT count(*) FROM warga WHERE status = 'H' AND jenis_kelamin = 'L') AS laki_laki,
       (SELECT count(*) FROM warga WHERE status = 'H' AND jenis_kelamin = 'P') AS perempuan
