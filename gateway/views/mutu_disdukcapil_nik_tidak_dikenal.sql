/*---
name: mutu_disdukcapil_nik_tidak_dikenal
title: {id: 'Peristiwa tentang orang yang tidak dikenal', en: 'An event about a person nobody knows'}
key: rekaman
internal: true
quality: {opd: disdukcapil, umpan: disdukcapil_peristiwa, kelas: nik_tidak_dikenal, nasib: tolak}
routes:
  disdukcapil_peristiwa: _key
  warga: SELECT _key FROM disdukcapil_peristiwa WHERE id_subjek = :id_subjek
indexes:
  - {table: disdukcapil_peristiwa, columns: [id_subjek, waktu_entri, id_peristiwa]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM disdukcapil_peristiwa r 
WHERE NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = r.id_subjek)
