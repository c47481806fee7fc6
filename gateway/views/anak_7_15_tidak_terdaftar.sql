/*---
name: anak_7_15_tidak_terdaftar
title: {id: Anak 7-15 tahun yang tidak terdaftar di sekolah, en: Children of 7-15 years not enrolled}
about:
  id: Anak hidup di kota, 7-15 tahun pada hari itu, tanpa baris peserta didik aktif.
  en: Living children of 7-15 completed years on the day, with no active pupil row.
owner: disdik
purpose: {id: Mengembalikan anak ke sekolah dari daftar mingguan, en: Bringing children back to school from a weekly list}
basis: PP 47/2008; UU 27/2022 pasal 25
dpia: anak_7_15_tidak_terdaftar
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-22
  since: 2025-01-01
  theme: EDUC
  area: orang
  concept: {id: 'Anak tidak sekolah: anak usia wajib belajar yang tidak tercatat di sekolah mana pun', en: 'A child out of school: of compulsory school age and on no roll'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Satu baris per anak, en: One row for each child}
  unit: orang
  keywords: [pendidikan, anak, wajib_belajar]
key: id_subjek
dated: true
routes:
  warga: id_subjek
  disdik_siswa: id_subjek
scope: [kode_kel]
indexes:
  - {table: disdik_siswa, columns: [id_subjek, status]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  nik: {type: text, pdp: A, title: {id: NIK, en: National identity number}}
  nama: {type: text, pdp: A, title: {id: Nama, en: Name}}
  tgl_lahir: {type: text, pdp: A, title: {id: Tanggal lahir, en: Date of birth}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  kode_kec: {type: text, pdp: N, title: {id: Kode kecamatan, en: Kecamatan}, from: [warga.kode_kel]}
  umur: {type: int, pdp: A, unit: tahun, title: {id: Umur pada hari itu, en: Age on the day}, from: [warga.tgl_lahir]}
  alasan_dugaan: {type: text, pdp: A, title: {id: 'Dugaan: BELUM_PERNAH, PUTUS, LULUS_TDK_LANJUT, PINDAH_SEKOLAH', en: 'Likely reason: never enrolled, dropped out, finished and did not go on, changed school'}, from: [disdik_siswa.status]}
---*/
SELECT w.id_subjek, w.nik, w.nama, w.tgl_lahir, w.kode_kel,
       CASE WHEN substr(w.kode_kel, 1, 1) = '1' THEN substr(w.kode_kel, 1, 6) ELSE 'TIDAK_DIKETAHUI' END AS kode_kec,
       usia_tahun(w.tgl_lahir, :per_tanggal) AS umur,
       CASE WHEN EXISTS (SELECT 1 FROM disdik_siswa s WHERE s.id_subjek = w.id_subjek AND s.status = 'KELUAR') THEN 'PUTUS'
            WHEN EXISTS (SELECT 1 FROM disdik_siswa s WHERE s.id_subjek = w.id_subjek AND s.status = 'LULUS') THEN 'LULUS_TDK_LANJUT'
            WHEN EXISTS (SELECT 1 FROM disdik_siswa s WHERE s.id_subjek = w.id_subjek AND s.status = 'MUTASI') THEN 'PINDAH_SEKOLAH'
            ELSE 'BELUM_PERNAH' END AS alasan_dugaan
FROM warga w
WHERE w.status = 'H'
  AND (:per_tanggal IS NULL OR usia_tahun(w.tgl_lahir, :per_tanggal) BETWEEN 7 AND 15)
  AND NOT EXISTS (SELECT 1 FROM disdik_siswa s WHERE s.id_subjek = w.id_subjek AND s.status = 'AKTIF')
