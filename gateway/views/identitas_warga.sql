/*---
name: identitas_warga
title: {id: Identitas warga yang berlaku, en: The identity that holds}
about:
  id: 'Nama, tanggal lahir dan KK setiap orang menurut urutan kewenangan; perbedaan OPD lain tidak dibuang, melainkan tersimpan di identitas_warga__sengketa.'
  en: 'Name, date of birth and family card of everybody by order of authority; what other departments say is not thrown away but kept in identitas_warga__sengketa.'
owner: disdukcapil
purpose:
  id: Satu identitas untuk semua layanan, dan daftar perbedaan yang harus dibereskan
  en: One identity for all services, and the list of differences to be mended
basis: UU 23/2006 jo. UU 24/2013 pasal 58; Perpres 39/2019; UU 27/2022 pasal 20(2)e
dpia: identitas_warga
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Identitas penduduk: nama, tanggal lahir, dan keluarga yang berlaku', en: 'The identity of a resident: name, date of birth and family in force'}
  classification: {id: Urutan kewenangan OPD per kolom, en: 'The order of authority of departments, by column'}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [identitas, penduduk]
complete: {nama: 0.99, tgl_lahir: 0.99, no_kk: 0.99}
key: id_subjek
routes:
  warga: id_subjek
  dinsos_bansos: id_subjek
indexes:
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
  - {table: dinsos_bansos, columns: [id_subjek, status]}
  - {table: disdik_siswa, columns: [id_subjek, status]}
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nama:
    type: text
    pdp: U
    title: {id: Nama, en: Name}
    compare: plain
    authority: [warga.nama, dinsos_bansos.nama, dinkes_kunjungan.nama, disdik_siswa.nama, bkpsdm_asn.nama]
  tgl_lahir:
    type: text
    pdp: U
    title: {id: Tanggal lahir, en: Date of birth}
    authority: [warga.tgl_lahir, bkpsdm_asn.tgl_lahir, disdik_siswa.tgl_lahir, dinsos_bansos.tgl_lahir]
  no_kk:
    type: text
    pdp: U
    title: {id: Nomor KK, en: Family card number}
    authority: [warga.no_kk, dinsos_bansos.no_kk]
---*/
SELECT w.id_subjek,
       otoritas(w.nama, (SELECT b.nama FROM dinsos_bansos b WHERE b.id_subjek = w.id_subjek AND b.nama <> ''
                         ORDER BY b._ts DESC, b._off DESC LIMIT 1)) AS nama,
       w.tgl_lahir, w.no_kk
FROM warga w
