/*---
name: kunjungan_setelah_meninggal
title: {id: Kunjungan setelah meninggal, en: Visits after death}
about: {id: Kunjungan faskes bertanggal sesudah tanggal meninggal pasiennya., en: Visits dated after the death of the patient.}
owner: dinkes
purpose: {id: Memperbaiki catatan kunjungan yang salah orang, en: Mending visits recorded for the wrong person}
basis: Permenkes 24/2022
dpia: kunjungan_setelah_meninggal
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: HEAL
  area: orang
  concept: {id: 'Mutu rekam kunjungan: kunjungan yang tidak mungkin terjadi', en: 'Quality of visit records: a visit that cannot have taken place'}
  classification: {id: Kode faskes, en: Codes of health facilities}
  measure: {id: Satu baris per kunjungan, en: One row for each visit}
  unit: kunjungan
  keywords: [kesehatan, mutu_data, kematian]
key: id_kunjungan
routes:
  dinkes_kunjungan: id_kunjungan
  warga: SELECT _key FROM dinkes_kunjungan WHERE id_subjek = :id_subjek
indexes:
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
columns:
  id_kunjungan: {type: text, pdp: N, title: {id: Nomor kunjungan, en: Visit number}}
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
  waktu: {type: text, pdp: S, title: {id: Waktu kunjungan, en: Time of the visit}}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
  nama_faskes: {type: text, pdp: N, title: {id: Faskes, en: Facility}}
---*/
SELECT k._key AS id_kunjungan, w.id_subjek, w.nik, w.nama, k.waktu, w.tgl_mati, k.nama_faskes
FROM warga w JOIN dinkes_kunjungan k ON k.id_subjek = w.id_subjek
WHERE w.status = 'M' AND substr(k.waktu, 1, 10) > w.tgl_mati
