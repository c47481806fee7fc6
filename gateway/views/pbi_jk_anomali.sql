/*---
name: pbi_jk_anomali
title: {id: Anomali peserta PBI-JK, en: Doubtful recipients of the health insurance subsidy}
about:
  id: 'Baris aktif program PBI-JK yang tidak dapat dipercaya begitu saja: NIK tidak sah, tidak dikenal Dukcapil, meninggal, pindah, ganda, atau namanya lain.'
  en: 'Active PBI-JK rows not to be trusted as they are: NIK malformed, unknown to the civil registry, dead, moved away, twice, or under another name.'
owner: dinsos
purpose:
  id: Menghentikan iuran bagi yang tidak berhak sebelum dibayar
  en: Stopping premiums for those not entitled before they are paid
basis: UU 27/2022 pasal 20(2)e; Permensos 21/2019
dpia: pbi_jk_anomali
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: HEAL
  area: orang
  concept: {id: Kepesertaan PBI-JK yang meragukan, en: Doubtful enrolment in the health insurance subsidy}
  classification: {id: Sebab anomali (enam), en: Kinds of doubt (six)}
  measure: {id: Satu baris per baris kepesertaan, en: One row for each enrolment}
  unit: kepesertaan
  keywords: [pbi_jk, jkn, bansos]
scope: [kode_kel]
key: id_bansos
routes:
  dinsos_bansos:
    - _key
    - SELECT _key FROM dinsos_bansos WHERE id_subjek = :id_subjek
  warga: SELECT _key FROM dinsos_bansos WHERE id_subjek = :id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  id_bansos: {type: text, pdp: P, title: {id: Nomor baris samaran, en: Pseudonym of the row}}
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK menurut Dinsos, en: National identity number as Dinsos has it}}
  nama: {type: text, pdp: U, title: {id: Nama menurut Dinsos, en: Name as Dinsos has it}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan menurut Dukcapil, en: Kelurahan by the civil registry}}
  nik_tidak_sah: {type: bool, pdp: U, title: {id: NIK tidak terbaca, en: NIK cannot be read}, from: [dinsos_bansos.id_subjek]}
  tidak_dikenal: {type: bool, pdp: U, title: {id: Tidak dikenal Dukcapil, en: Unknown to the civil registry}, from: [dinsos_bansos.id_subjek, warga.id_subjek]}
  meninggal: {type: bool, pdp: U, title: {id: Sudah meninggal, en: Has died}, from: [warga.status]}
  pindah: {type: bool, pdp: U, title: {id: Sudah pindah, en: Has moved away}, from: [warga.status]}
  ganda: {type: bool, pdp: U, title: {id: Terdaftar lebih dari sekali, en: Listed more than once}, from: [dinsos_bansos.id_subjek, dinsos_bansos.program, dinsos_bansos.status]}
  beda_nama: {type: bool, pdp: U, title: {id: Nama berbeda dari Dukcapil, en: Name differs from the civil registry's}, from: [dinsos_bansos.nama, warga.nama]}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
---*/
SELECT b._key AS id_bansos, b.id_subjek AS id_subjek, b.nik AS nik, b.nama AS nama, w.kode_kel AS kode_kel,
       b.id_subjek IS NULL AS nik_tidak_sah,
       b.id_subjek IS NOT NULL AND w.id_subjek IS NULL AS tidak_dikenal,
       coalesce(w.status = 'M', 0) AS meninggal,
       coalesce(w.status = 'P', 0) AS pindah,
       EXISTS (SELECT 1 FROM dinsos_bansos c WHERE c.id_subjek = b.id_subjek AND c.status = 'AKTIF'
                 AND c.program = 'PBI-JK' AND c._key <> b._key) AS ganda,
       coalesce(nama_baku(b.nama) <> nama_baku(w.nama), 0) AS beda_nama,
       w.tgl_mati AS tgl_mati
FROM dinsos_bansos b LEFT JOIN warga w ON w.id_subjek = b.id_subjek
WHERE b.program = 'PBI-JK' AND b.status = 'AKTIF'
  AND (w.id_subjek IS NULL OR w.status <> 'H' OR nama_baku(b.nama) <> nama_baku(w.nama)
       OR EXISTS (SELECT 1 FROM dinsos_bansos c WHERE c.id_subjek = b.id_subjek AND c.status = 'AKTIF'
                    AND c.program = 'PBI-JK' AND c._key <> b._key))
