/*---
name: mutu_bkpsdm_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: bkpsdm, umpan: bkpsdm_pegawai, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  bkpsdm_asn: _key
  warga: SELECT _key FROM bkpsdm_asn WHERE id_subjek = :id_subjek
indexes:
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM bkpsdm_asn r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
