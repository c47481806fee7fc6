/*---
name: penduduk_per_tahun_lahir
title: {id: Penduduk per kelurahan dan tahun lahir, en: Residents by kelurahan and year of birth}
about: {id: Piramida penduduk setiap kelurahan tanpa nama siapa pun., en: The age pyramid of each kelurahan without anybody's name.}
owner: disdukcapil
purpose: {id: Perencanaan layanan menurut umur, en: Planning of services by age}
basis: Perpres 39/2019
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: kelurahan
  concept: {id: 'Penduduk: orang yang terdaftar bertempat tinggal di kota', en: 'A resident: a person registered as living in the city'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: 'Cacah orang menurut kelurahan, tahun lahir, dan jenis kelamin', en: 'Number of persons by kelurahan, year of birth and sex'}
  unit: orang
  keywords: [penduduk, umur, kelurahan]
key: sel
store: full
pace: total
routes:
  warga: SELECT :kode_kel || '.' || coalesce(substr(:tgl_lahir, 1, 4), 'TIDAK_DIKETAHUI')
indexes:
  - {table: warga, columns: [status, kode_kel]}
columns:
  sel: {type: text, pdp: N, title: {id: Kelurahan.tahun, en: Kelurahan.year}, from: [warga.kode_kel, warga.tgl_lahir]}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  tahun: {type: text, pdp: N, title: {id: Tahun lahir, en: Year of birth}, from: [warga.tgl_lahir]}
  jumlah: {type: int, pdp: N, unit: orang, title: {id: Penduduk, en: Residents}, from: [warga.id_subjek]}
  laki_laki: {type: int, pdp: N, unit: orang, title: {id: Laki-laki, en: Male}, from: [warga.jenis_kelamin]}
  perempuan: {type: int, pdp: N, unit: orang, title: {id: Perempuan, en: Female}, from: [warga.jenis_kelamin]}
---*/
SELECT kode_kel || '.' || coalesce(substr(tgl_lahir, 1, 4), 'TIDAK_DIKETAHUI') AS sel, kode_kel,
       coalesce(substr(tgl_lahir, 1, 4), 'TIDAK_DIKETAHUI') AS tahun, count(*) AS jumlah,
       sum(jenis_kelamin = 'L') AS laki_laki, sum(jenis_kelamin = 'P') AS perempuan
FROM warga
WHERE status = 'H'
GROUP BY kode_kel, coalesce(substr(tgl_lahir, 1, 4), 'TIDAK_DIKETAHUI')
