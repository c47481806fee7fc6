/*---
name: keluarga_bansos_ada_meninggal
title: {id: Keluarga penerima bansos dengan anggota meninggal, en: Assisted families with a death}
about:
  id: 'Keluarga (menurut Disdukcapil) yang punya penerima bansos aktif dan anggota yang telah meninggal: perlu dimutakhirkan.'
  en: Families with a recipient of assistance and a member who has died.
owner: dinsos
purpose: {id: Memeriksa keluarga penerima yang anggotanya meninggal, en: Looking again at families with a death}
basis: Permensos 3/2021
dpia: keluarga_bansos_ada_meninggal
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Keluarga: semua orang dalam satu kartu keluarga', en: 'A family: everybody on one family card'}
  classification: {id: Program bantuan menurut Dinsos; kode wilayah Kemendagri, en: 'Dinsos''s programmes; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per keluarga, en: One row for each family}
  unit: keluarga
  keywords: [bansos, keluarga, kematian]
key: id_keluarga
routes:
  warga: id_keluarga
  dinsos_bansos: SELECT id_keluarga FROM warga WHERE id_subjek = :id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  id_keluarga: {type: text, pdp: P, title: {id: Nama samaran KK, en: Pseudonym of the family card}}
  no_kk: {type: text, pdp: U, title: {id: Nomor KK, en: Family card number}}
  meninggal: {type: int, pdp: U, title: {id: Anggota meninggal, en: Members who died}}
  penerima: {type: int, pdp: S, title: {id: Penerima aktif, en: Active recipients}}
---*/
SELECT w.id_keluarga, max(w.no_kk) AS no_kk,
       (SELECT count(*) FROM warga m WHERE m.id_keluarga = w.id_keluarga AND m.status = 'M') AS meninggal,
       count(DISTINCT w.id_subjek) AS penerima
FROM warga w JOIN dinsos_bansos b ON b.id_subjek = w.id_subjek AND b.status = 'AKTIF'
WHERE EXISTS (SELECT 1 FROM warga m WHERE m.id_keluarga = w.id_keluarga AND m.status = 'M')
GROUP BY w.id_keluarga
