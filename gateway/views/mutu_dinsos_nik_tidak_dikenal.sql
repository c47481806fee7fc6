/*---
name: mutu_dinsos_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: dinsos, umpan: dinsos_bansos, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  dinsos_bansos: _key
  warga: SELECT _key FROM dinsos_bansos WHERE id_subjek = :id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM dinsos_bansos r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
