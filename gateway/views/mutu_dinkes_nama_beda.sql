/*---
name: mutu_dinkes_nama_beda
title: {id: 'Nama lain daripada di Disdukcapil', en: 'Another name than Disdukcapil has'}
key: rekaman
internal: true
quality: {opd: dinkes, umpan: dinkes_kunjungan, kelas: nama_beda, nasib: tanda}
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
WHERE nama_baku(r.nama) <> nama_baku(w.nama)
