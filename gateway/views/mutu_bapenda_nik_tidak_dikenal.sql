/*---
name: mutu_bapenda_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: bapenda, umpan: bapenda_pbb, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  bapenda_pbb: _key
  warga: SELECT _key FROM bapenda_pbb WHERE id_subjek = :id_subjek
indexes:
  - {table: bapenda_pbb, columns: [id_subjek, terutang, dibayar]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM bapenda_pbb r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
