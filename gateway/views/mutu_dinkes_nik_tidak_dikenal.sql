/*---
name: mutu_dinkes_nik_tidak_dikenal
title: {id: 'NIK sahih yang bukan milik siapa pun', en: 'A valid NIK of nobody'}
key: rekaman
internal: true
quality: {opd: dinkes, umpan: dinkes_kunjungan, kelas: nik_tidak_dikenal, nasib: lepas}
routes:
  dinkes_kunjungan: _key
  warga: SELECT _key FROM dinkes_kunjungan WHERE id_subjek = :id_subjek
indexes:
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM dinkes_kunjungan r 
WHERE r.id_subjek IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
