/*---
name: tunggakan_pbb_per_kecamatan
title: {id: Tunggakan PBB per kecamatan, en: Property tax due per kecamatan}
about: {id: Jumlah PBB yang belum dibayar menurut letak objeknya sekarang., en: Property tax unpaid by where the property lies today.}
owner: bapenda
purpose: {id: Perencanaan penagihan per kecamatan, en: Planning of collection by kecamatan}
basis: UU 1/2022
freshness: {max_age: 1d}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: ECON
  area: kecamatan
  concept: {id: 'Tunggakan PBB: pajak terutang yang belum dibayar', en: 'Arrears of property tax: tax due and not paid'}
  classification: {id: 'Kode wilayah Kemendagri (kecamatan, 6 angka)', en: 'Ministry of Home Affairs'' area codes (kecamatan, 6 digits)'}
  measure: {id: Jumlah rupiah menurut kecamatan, en: Rupiah by kecamatan}
  unit: Rp
  keywords: [pbb, pajak, kecamatan]
history: true
key: kode_kec
store: full
pace: total
routes:
  bapenda_pbb: SELECT CASE WHEN substr(:kode_kel, 1, 1) = '1' THEN substr(:kode_kel, 1, 6) ELSE 'TIDAK_DIKETAHUI' END
indexes:
  - {table: bapenda_pbb, columns: [kode_kel, terutang, dibayar]}
columns:
  kode_kec: {type: text, pdp: N, title: {id: Kode kecamatan, en: Kecamatan}}
  tunggakan: {type: int, pdp: N, title: {id: Tunggakan (Rp), en: Due (IDR)}}
---*/
SELECT CASE WHEN substr(kode_kel, 1, 1) = '1' THEN substr(kode_kel, 1, 6) ELSE 'TIDAK_DIKETAHUI' END AS kode_kec,
       sum(terutang - dibayar) AS tunggakan
FROM bapenda_pbb
WHERE terutang > dibayar
GROUP BY 1
