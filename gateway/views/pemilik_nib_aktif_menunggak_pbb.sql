/*---
name: pemilik_nib_aktif_menunggak_pbb
title: {id: Pemilik NIB aktif yang menunggak PBB, en: Owners of an active business licence with property tax due}
about: {id: 'Orang dengan NIB aktif dan PBB yang belum lunas, dengan jumlah tunggakannya.', en: 'Persons with an active licence and property tax unpaid, with the amount.'}
owner: bapenda
purpose: {id: Penagihan kepada pelaku usaha yang menunggak, en: Collecting from businesses that owe}
basis: Permendagri 112/2016; UU 1/2022
dpia: pemilik_nib_aktif_menunggak_pbb
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: ECON
  area: orang
  concept: {id: 'Tunggakan PBB: pajak terutang yang belum dibayar', en: 'Arrears of property tax: tax due and not paid'}
  classification: {id: Status NIB, en: Status of a business number}
  measure: {id: Jumlah rupiah per orang, en: Rupiah by person}
  unit: Rp
  keywords: [pbb, nib, pajak]
key: id_subjek
routes:
  dpmptsp_nib: id_subjek
  bapenda_pbb: id_subjek
  warga: id_subjek
indexes:
  - {table: dpmptsp_nib, columns: [id_subjek, status]}
  - {table: bapenda_pbb, columns: [id_subjek, terutang, dibayar]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
  tunggakan: {type: int, pdp: S, title: {id: Tunggakan (Rp), en: Due (IDR)}}
---*/
SELECT w.id_subjek, w.nik, w.nama,
       (SELECT sum(p.terutang - p.dibayar) FROM bapenda_pbb p
        WHERE p.id_subjek = w.id_subjek AND p.terutang > p.dibayar) AS tunggakan
FROM warga w
WHERE EXISTS (SELECT 1 FROM dpmptsp_nib n WHERE n.id_subjek = w.id_subjek AND n.status = 'AKTIF')
  AND EXISTS (SELECT 1 FROM bapenda_pbb p WHERE p.id_subjek = w.id_subjek AND p.terutang > p.dibayar)
