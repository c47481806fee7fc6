/*---
name: mutu_disdik_nama_beda
title: {id: 'Nama lain daripada di Disdukcapil', en: 'Another name than Disdukcapil has'}
key: rekaman
internal: true
quality: {opd: disdik, umpan: disdik_siswa, kelas: nama_beda, nasib: tanda}
routes:
  disdik_siswa: _key
  warga: SELECT _key FROM disdik_siswa WHERE id_subjek = :id_subjek
indexes:
  - {table: disdik_siswa, columns: [id_subjek, status]}
columns:
  rekaman: {type: text, pdp: P, title: {id: Kunci rekaman, en: Key of the record}}
---*/
SELECT r._key AS rekaman
FROM disdik_siswa r JOIN warga w ON w.id_subjek = r.id_subjek
WHERE nama_baku(r.nama) <> nama_baku(w.nama)
