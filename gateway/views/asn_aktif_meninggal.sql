/*---
name: asn_aktif_meninggal
title: {id: ASN aktif yang telah meninggal, en: Active civil servants who have died}
about: {id: ASN berstatus aktif yang menurut Disdukcapil sudah meninggal., en: Civil servants in active status who are dead according to Disdukcapil.}
owner: bkpsdm
purpose: {id: Menghentikan gaji dan memproses pensiun janda/duda, en: 'Ending pay and starting the survivor''s pension'}
basis: UU 20/2023; UU 27/2022 pasal 20(2)e
dpia: asn_aktif_meninggal
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: GOVE
  area: orang
  concept: {id: 'Kepegawaian: ASN yang statusnya belum mengikuti peristiwa kematian', en: 'Personnel: a civil servant whose status has not followed the death'}
  classification: {id: Status kepegawaian menurut BKPSDM, en: 'BKPSDM''s employment status'}
  measure: {id: Satu baris per ASN, en: One row for each civil servant}
  unit: orang
  keywords: [asn, kematian]
key: id_subjek
routes:
  bkpsdm_asn: id_subjek
  warga: id_subjek
indexes:
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
---*/
SELECT w.id_subjek, w.nik, w.nama, w.tgl_mati
FROM warga w
WHERE w.status = 'M'
  AND EXISTS (SELECT 1 FROM bkpsdm_asn a WHERE a.id_subjek = w.id_subjek AND a.status = 'AKTIF')
