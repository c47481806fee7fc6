/*---
name: asn_penerima_bansos_per_opd
title: {id: Jumlah ASN yang keluarganya menerima bantuan per OPD, en: Number of civil servants whose family receives assistance by department}
about: {id: Jumlah saja; daftarnya di asn_keluarga_penerima_bansos., en: Numbers only; the list is asn_keluarga_penerima_bansos.}
owner: bkpsdm
purpose: {id: Pengawasan tanpa nama, en: Oversight without names}
basis: Permensos 3/2021
freshness: {max_age: 1d}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: GOVE
  area: kota
  concept: {id: 'Ketepatan sasaran: bantuan bagi keluarga yang beranggota ASN', en: 'Targeting: assistance to a family with a civil servant'}
  classification: {id: Kode OPD menurut BKPSDM, en: 'BKPSDM''s codes of departments'}
  measure: {id: Cacah ASN menurut OPD, en: Number of civil servants by department}
  unit: orang
  keywords: [asn, bansos]
key: kode_opd
store: full
pace: total
routes:
  asn_keluarga_penerima_bansos: kode_opd
indexes:
  - {table: asn_keluarga_penerima_bansos, columns: [kode_opd]}
columns:
  kode_opd: {type: text, pdp: N, title: {id: OPD, en: Department}}
  jumlah: {type: int, pdp: N, unit: orang, title: {id: Jumlah ASN, en: Civil servants}, from: [asn_keluarga_penerima_bansos.id_asn]}
---*/
SELECT kode_opd, count(*) AS jumlah
FROM asn_keluarga_penerima_bansos
GROUP BY kode_opd
