/*---
name: asn_aktif_penerima_bansos
title: {id: ASN aktif penerima bansos, en: Active civil servants who receive assistance}
about: {id: ASN aktif yang juga penerima bansos aktif., en: Active civil servants who are active recipients too.}
owner: bkpsdm
purpose: {id: Pengawasan ketepatan sasaran bantuan, en: Oversight of who receives assistance}
basis: Permensos 3/2021
dpia: asn_aktif_penerima_bansos
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: GOVE
  area: orang
  concept: {id: 'Ketepatan sasaran: penerima bantuan yang menurut aturan tidak berhak karena ASN', en: 'Targeting: a recipient who as a civil servant is not entitled'}
  classification: {id: Program bantuan menurut Dinsos; kode wilayah Kemendagri, en: 'Dinsos''s programmes; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per ASN, en: One row for each civil servant}
  unit: orang
  keywords: [asn, bansos]
key: id_subjek
routes:
  bkpsdm_asn: id_subjek
  warga: id_subjek
  dinsos_bansos: id_subjek
indexes:
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
---*/
SELECT w.id_subjek, w.nik, w.nama
FROM warga w
WHERE EXISTS (SELECT 1 FROM dinsos_bansos b WHERE b.id_subjek = w.id_subjek AND b.status = 'AKTIF')
  AND EXISTS (SELECT 1 FROM bkpsdm_asn a WHERE a.id_subjek = w.id_subjek AND a.status = 'AKTIF')
