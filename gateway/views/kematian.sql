/*---
name: kematian
title: {id: Kematian, en: Deaths}
about:
  id: 'Siapa yang meninggal dan kapan, seminimal mungkin, untuk diikuti Dinkes/BPJS, Dinsos, Bapenda, BKPSDM, Disdik: bantuan, iuran, pensiun dan nama wajib pajak berhenti tanpa ahli waris mendatangi tujuh loket.'
  en: 'Who has died and when, as little as possible, to be followed by health, social affairs, revenue, personnel, education: assistance, premiums, pensions stop without the heirs going to seven counters.'
owner: disdukcapil
purpose:
  id: Menghentikan layanan atas nama orang yang telah meninggal
  en: Ending services in the name of the dead
basis: UU 23/2006 jo. UU 24/2013; UU 27/2022 pasal 20(2)e
dpia: kematian
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Kematian: penduduk yang kematiannya dicatat', en: 'A death: a resident whose death is registered'}
  classification: {id: Nama samaran subjek, en: The pseudonym of a person}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [kematian]
key: id_subjek
routes:
  warga: id_subjek
indexes:
  - {table: warga, columns: [status, kode_kel]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
---*/
SELECT w.id_subjek, w.tgl_mati
FROM warga w
WHERE w.status = 'M'
