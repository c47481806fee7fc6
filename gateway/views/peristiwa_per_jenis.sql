/*---
name: peristiwa_per_jenis
title: {id: Peristiwa kependudukan per jenis, en: Population events by kind}
about:
  id: Peristiwa Disdukcapil yang berlaku, menurut jenisnya; yang orangnya belum dikenal ditahan dan tidak dihitung.
  en: 'Events that hold, by kind; those of a person not yet known are held back and not counted.'
owner: disdukcapil
purpose: {id: Jumlah peristiwa kependudukan, en: Numbers of civil events}
basis: Perpres 39/2019
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: SOCI
  area: kota
  concept: {id: 'Peristiwa kependudukan: kejadian yang mengubah data seorang penduduk', en: 'A civil event: what changes a resident''s record'}
  classification: {id: Jenis peristiwa menurut Disdukcapil, en: 'Disdukcapil''s kinds of events'}
  measure: {id: Cacah peristiwa menurut jenis, en: Number of events by kind}
  unit: peristiwa
  keywords: [peristiwa_kependudukan]
key: jenis
store: full
pace: total
routes:
  disdukcapil_peristiwa: jenis
  warga: SELECT DISTINCT jenis FROM disdukcapil_peristiwa WHERE id_subjek = :id_subjek
indexes:
  - {table: disdukcapil_peristiwa, columns: [jenis, id_subjek]}
columns:
  jenis: {type: text, pdp: N, title: {id: Jenis, en: Kind}}
  jumlah: {type: int, pdp: N, title: {id: Jumlah, en: Count}}
---*/
SELECT e.jenis AS jenis, count(*) AS jumlah
FROM disdukcapil_peristiwa e
WHERE EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = e.id_subjek)
GROUP BY e.jenis
