/*---
name: mutu_dpmptsp_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: dpmptsp, umpan: dpmptsp_nib, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  dpmptsp_nib: _key
  warga: SELECT _key FROM dpmptsp_nib WHERE id_subjek = :id_subjek
indexes:
  - {table: dpmptsp_nib, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM dpmptsp_nib r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
