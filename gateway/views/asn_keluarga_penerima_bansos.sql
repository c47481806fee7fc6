/*---
name: asn_keluarga_penerima_bansos
title: {id: ASN yang keluarganya menerima bantuan, en: Civil servants whose family receives assistance}
about:
  id: 'ASN aktif dengan bantuan sosial aktif dalam satu KK dengannya. Daftar bernama hanya untuk Inspektorat; jumlah per OPD ada di asn_penerima_bansos_per_opd.'
  en: 'Active civil servants with running assistance in the same family card. The list is for the inspectorate alone; numbers per department are in asn_penerima_bansos_per_opd.'
owner: bkpsdm
purpose:
  id: Pengawasan ketepatan sasaran bantuan
  en: Oversight of who receives assistance
basis: Permensos 3/2021; UU 27/2022 pasal 20(2)e
dpia: asn_keluarga_penerima_bansos
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: GOVE
  area: orang
  concept: {id: 'Ketepatan sasaran: bantuan bagi keluarga yang beranggota ASN', en: 'Targeting: assistance to a family with a civil servant'}
  classification: {id: Program bantuan menurut Dinsos; kode wilayah Kemendagri, en: 'Dinsos''s programmes; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per ASN, en: One row for each civil servant}
  unit: orang
  keywords: [asn, bansos, keluarga]
key: id_asn
store: full
routes:
  bkpsdm_asn: _key
  warga:
    - SELECT _key FROM bkpsdm_asn WHERE id_subjek = :id_subjek
    - SELECT a._key FROM warga m JOIN bkpsdm_asn a ON a.id_subjek = m.id_subjek WHERE m.id_keluarga = :id_keluarga
  dinsos_bansos: SELECT a._key FROM warga k JOIN warga m ON m.id_keluarga = k.id_keluarga JOIN bkpsdm_asn a ON a.id_subjek = m.id_subjek WHERE k.id_subjek = :id_subjek
indexes:
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  id_asn: {type: text, pdp: P, title: {id: Nama samaran pegawai, en: Pseudonym of the civil servant}}
  id_keluarga: {type: text, pdp: P, title: {id: Nama samaran KK, en: Pseudonym of the family card}}
  kode_opd: {type: text, pdp: N, title: {id: OPD tempat bertugas, en: Department}}
  nama: {type: text, pdp: U, title: {id: Nama pegawai, en: Name}}
  penerima: {type: int, pdp: U, unit: orang, title: {id: Penerima bantuan dalam KK, en: Recipients in the family}, from: [dinsos_bansos.id_subjek, dinsos_bansos.status, warga.id_keluarga]}
---*/
SELECT a._key AS id_asn, w.id_keluarga AS id_keluarga, coalesce(a.kode_opd, 'TIDAK_DIKETAHUI') AS kode_opd, a.nama AS nama,
       (SELECT count(DISTINCT b.id_subjek) FROM warga k JOIN dinsos_bansos b ON b.id_subjek = k.id_subjek
        WHERE k.id_keluarga = w.id_keluarga AND b.status = 'AKTIF') AS penerima
FROM bkpsdm_asn a JOIN warga w ON w.id_subjek = a.id_subjek
WHERE a.status = 'AKTIF'
  AND EXISTS (SELECT 1 FROM warga k JOIN dinsos_bansos b ON b.id_subjek = k.id_subjek
              WHERE k.id_keluarga = w.id_keluarga AND b.status = 'AKTIF')
