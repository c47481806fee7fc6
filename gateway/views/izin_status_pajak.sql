/*---
name: izin_status_pajak
title: {id: Status pajak pelaku usaha, en: Tax standing of a business}
about:
  id: 'Sebelum izin tertentu terbit: apakah pemilik NIB menunggak PBB, dan dalam kelas berapa. Jumlahnya tidak diperlihatkan kepada loket.'
  en: 'Before certain permits: whether the owner of a business number owes property tax, and in which class. The amount is hidden from the counter.'
owner: bapenda
purpose:
  id: Konfirmasi status wajib pajak daerah sebelum izin terbit
  en: Confirming local tax standing before a permit is issued
basis: Permendagri 112/2016
dpia: izin_status_pajak
freshness: {max_age: 1d}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: ECON
  area: orang
  concept: {id: Kepatuhan pajak daerah pelaku usaha, en: Local tax compliance of a business}
  classification: {id: 'Kelas tunggakan: NIHIL, di bawah 1 juta, 1-10 juta, di atas 10 juta', en: 'Classes of arrears: none, below 1 million, 1-10 million, above 10 million'}
  measure: {id: Satu baris per NIB, en: One row for each business number}
  unit: NIB
  keywords: [izin, pajak, nib]
key: nib
routes:
  dpmptsp_nib: _key
  bapenda_pbb: SELECT _key FROM dpmptsp_nib WHERE id_subjek = :id_subjek
indexes:
  - {table: dpmptsp_nib, columns: [id_subjek, status]}
  - {table: bapenda_pbb, columns: [id_subjek]}
columns:
  nib: {type: text, pdp: N, title: {id: Nomor Induk Berusaha, en: Business number}}
  status_nib: {type: text, pdp: N, title: {id: Status NIB, en: State of the business number}}
  patuh: {type: bool, pdp: S, title: {id: 'Tanpa tunggakan; kosong bila NIK tidak terbaca', en: 'Nothing owed; empty if the NIK cannot be read'}, from: [bapenda_pbb.terutang, bapenda_pbb.dibayar]}
  tunggakan_kelas: {type: text, pdp: S, title: {id: 'NIHIL, <1JT, 1-10JT, >10JT', en: Class of what is owed}, from: [bapenda_pbb.terutang, bapenda_pbb.dibayar]}
  jenis: {type: json, pdp: S, title: {id: Pajak yang ditunggak, en: Taxes owed}, from: [bapenda_pbb.terutang, bapenda_pbb.dibayar]}
---*/
SELECT n._key AS nib, n.status AS status_nib,
       CASE WHEN n.id_subjek IS NULL THEN NULL
            ELSE NOT EXISTS (SELECT 1 FROM bapenda_pbb p WHERE p.id_subjek = n.id_subjek AND p.terutang > p.dibayar) END AS patuh,
       CASE WHEN n.id_subjek IS NULL THEN NULL
            ELSE (SELECT CASE WHEN coalesce(sum(p.terutang - p.dibayar), 0) = 0 THEN 'NIHIL'
                              WHEN sum(p.terutang - p.dibayar) < 1000000 THEN '<1JT'
                              WHEN sum(p.terutang - p.dibayar) <= 10000000 THEN '1-10JT' ELSE '>10JT' END
                  FROM bapenda_pbb p WHERE p.id_subjek = n.id_subjek AND p.terutang > p.dibayar) END AS tunggakan_kelas,
       CASE WHEN EXISTS (SELECT 1 FROM bapenda_pbb p WHERE p.id_subjek = n.id_subjek AND p.terutang > p.dibayar)
            THEN '["PBB"]' ELSE '[]' END AS jenis
FROM dpmptsp_nib n
