/*---
name: mutu_disdik_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: disdik, umpan: disdik_siswa, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  disdik_siswa: _key
  warga: SELECT _key FROM disdik_siswa WHERE id_subjek = :id_subjek
indexes:
  - {table: disdik_siswa, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM disdik_siswa r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
