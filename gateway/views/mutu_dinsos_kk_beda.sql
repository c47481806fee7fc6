/*---
name: mutu_dinsos_kk_beda
title: {id: 'Nomor KK lain daripada di Disdukcapil', en: 'Another family card than Disdukcapil has'}
key: rekaman
internal: true
quality: {opd: dinsos, umpan: dinsos_bansos, kelas: kk_beda, nasib: tanda}
routes:
  dinsos_bansos: _key
  warga: SELECT _key FROM dinsos_bansos WHERE id_subjek = :id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM dinsos_bansos r JOIN warga w ON w.id_subjek = r.id_subjek
WHERE r.no_kk <> w.no_kk
