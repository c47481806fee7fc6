/*---
name: warga
title: {id: Warga menurut potret dan peristiwa, en: 'Everybody, from snapshot and events'}
about:
  id: 'Potret Disdukcapil dilipat dengan peristiwanya menurut waktu entri; peristiwa orang yang belum dikenal berlaku begitu kelahiran atau kedatangannya tiba.'
  en: 'The snapshot folded with the events in order of their entry; events of a person not yet known hold once the birth or arrival comes.'
owner: disdukcapil
key: id_subjek
internal: true
store: full
routes:
  disdukcapil_penduduk: _key
  disdukcapil_peristiwa: id_subjek
indexes:
  - {table: disdukcapil_peristiwa, columns: [id_subjek, waktu_entri, id_peristiwa]}
  - {table: warga, columns: [id_keluarga, status]}
  - {table: warga, columns: [status, kode_kel]}
  - {table: warga, columns: [status, jenis_kelamin]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: U, title: {id: NIK, en: National identity number}}
  id_keluarga: {type: text, pdp: P, title: {id: Nama samaran KK, en: Pseudonym of the family card}}
  no_kk: {type: text, pdp: U, title: {id: Nomor KK, en: Family card number}}
  nama: {type: text, pdp: U, title: {id: Nama, en: Name}}
  tgl_lahir: {type: text, pdp: U, title: {id: Tanggal lahir, en: Date of birth}}
  jenis_kelamin: {type: text, pdp: U, title: {id: Jenis kelamin, en: Sex}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  status: {type: text, pdp: U, title: {id: 'H hidup di kota, M meninggal, P pindah', en: 'H lives here, M dead, P moved away'}}
  tgl_mati: {type: text, pdp: U, title: {id: Tanggal meninggal, en: Date of death}}
---*/
SELECT o.id_subjek AS id_subjek, o.nik AS nik,
       coalesce((SELECT e.id_keluarga FROM disdukcapil_peristiwa e
                 WHERE e.id_subjek = o.id_subjek AND e.id_keluarga <> ''
                 ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1), o.id_keluarga) AS id_keluarga,
       coalesce((SELECT e.no_kk FROM disdukcapil_peristiwa e
                 WHERE e.id_subjek = o.id_subjek AND e.no_kk <> ''
                 ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1), o.no_kk) AS no_kk,
       coalesce((SELECT e.nama FROM disdukcapil_peristiwa e
                 WHERE e.id_subjek = o.id_subjek AND e.nama <> ''
                 ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1), o.nama) AS nama,
       o.tgl_lahir AS tgl_lahir, o.jenis_kelamin AS jenis_kelamin,
       coalesce((SELECT e.kode_kel FROM disdukcapil_peristiwa e
                 WHERE e.id_subjek = o.id_subjek AND e.kode_kel <> ''
                 ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1), o.kode_kel) AS kode_kel,
       CASE WHEN EXISTS (SELECT 1 FROM disdukcapil_peristiwa e
                         WHERE e.id_subjek = o.id_subjek AND e.jenis = 'MATI') THEN 'M'
            ELSE coalesce((SELECT CASE e.jenis WHEN 'PINDAH_KELUAR' THEN 'P' ELSE 'H' END
                           FROM disdukcapil_peristiwa e
                           WHERE e.id_subjek = o.id_subjek
                             AND e.jenis IN ('LAHIR', 'PINDAH_DATANG', 'PINDAH_KELUAR')
                           ORDER BY e.waktu_entri DESC, e.id_peristiwa DESC LIMIT 1), 'H') END AS status,
       (SELECT e.tgl_peristiwa FROM disdukcapil_peristiwa e
        WHERE e.id_subjek = o.id_subjek AND e.jenis = 'MATI'
        ORDER BY e.waktu_entri, e.id_peristiwa LIMIT 1) AS tgl_mati
FROM (SELECT p._key AS id_subjek, p.nik, p.id_keluarga, p.no_kk, p.nama, p.tgl_lahir, p.jenis_kelamin, p.kode_kel
      FROM disdukcapil_penduduk p
      UNION ALL
      SELECT l.id_subjek, l.nik, l.id_keluarga, l.no_kk, l.nama, l.tgl_lahir, l.jenis_kelamin, l.kode_kel
      FROM disdukcapil_peristiwa l
      WHERE l.jenis IN ('LAHIR', 'PINDAH_DATANG')
        AND NOT EXISTS (SELECT 1 FROM disdukcapil_penduduk p WHERE p._key = l.id_subjek)
        AND l._key = (SELECT e._key FROM disdukcapil_peristiwa e
                      WHERE e.id_subjek = l.id_subjek AND e.jenis IN ('LAHIR', 'PINDAH_DATANG')
                      ORDER BY e.waktu_entri, e.id_peristiwa LIMIT 1)) o
