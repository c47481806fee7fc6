/*---
name: penerima_bansos_meninggal
title: {id: Penerima bansos yang telah meninggal, en: Recipients of assistance who have died}
about: {id: Penerima bansos aktif yang menurut Disdukcapil sudah meninggal., en: Active recipients who are dead according to Disdukcapil.}
owner: dinsos
purpose: {id: Menghentikan bantuan atas nama orang yang meninggal, en: Ending assistance in the name of the dead}
basis: Permensos 3/2021; UU 27/2022 pasal 20(2)e
dpia: penerima_bansos_meninggal
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Ketepatan sasaran: bantuan atas nama orang yang telah meninggal', en: 'Targeting: assistance in the name of the dead'}
  classification: {id: Program bantuan menurut Dinsos; kode wilayah Kemendagri, en: 'Dinsos''s programmes; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [bansos, kematian]
key: id_subjek
routes:
  dinsos_bansos: id_subjek
  warga: id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
  program: {type: text, pdp: S, title: {id: Program, en: Programmes}}
---*/
SELECT w.id_subjek, w.nik, w.nama, w.tgl_mati,
       (SELECT group_concat(program, ' ') FROM (SELECT DISTINCT b.program AS program FROM dinsos_bansos b
         WHERE b.id_subjek = w.id_subjek AND b.status = 'AKTIF' ORDER BY b.program)) AS program
FROM warga w
WHERE w.status = 'M'
  AND EXISTS (SELECT 1 FROM dinsos_bansos b WHERE b.id_subjek = w.id_subjek AND b.status = 'AKTIF')
