/*---
name: mutu_dinkes_setelah_meninggal
title: {id: 'Kunjungan sesudah meninggal', en: 'A visit after death'}
key: rekaman
internal: true
quality: {opd: dinkes, umpan: dinkes_kunjungan, kelas: setelah_meninggal, nasib: tanda}
routes:
  dinkes_kunjungan: _key
  warga: SELECT _key FROM dinkes_kunjungan WHERE id_subjek = :id_subjek
indexes:
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM dinkes_kunjungan r JOIN warga w ON w.id_subjek = r.id_subjek
WHERE w.status = 'M' AND substr(r.waktu, 1, 10) > w.tgl_mati
