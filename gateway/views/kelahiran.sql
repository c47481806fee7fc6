/*---
name: kelahiran
title: {id: Paket kelahiran, en: What a birth sets in motion}
about:
  id: 'Anak yang lahir di kota: kelurahan dan KK-nya sekarang, apakah keluarganya peserta PBI-JK, antigen yang sudah diterima dan yang berikut. Satu laporan kelahiran, beberapa layanan.'
  en: 'Children born in the city: their kelurahan and family now, whether the family is in the health subsidy, antigens received and the next one. One report of a birth, several services.'
owner: disdukcapil
purpose:
  id: 'Akta, KK, KIA, JKN bayi dan jadwal imunisasi dari satu laporan'
  en: 'Certificate, family card, child card, insurance and immunisation from one report'
basis: UU 23/2006 jo. UU 24/2013; UU 27/2022 pasal 25
dpia: kelahiran
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Kelahiran: anak yang lahir hidup dan didaftarkan di kota', en: 'A birth: a child born alive and registered in the city'}
  classification: {id: 'Kode wilayah Kemendagri (kelurahan, 10 angka)', en: 'Ministry of Home Affairs'' area codes (kelurahan, 10 digits)'}
  measure: {id: Satu baris per anak, en: One row for each child}
  unit: orang
  keywords: [kelahiran, anak]
scope: [kode_kel]
key: id_subjek
routes:
  disdukcapil_peristiwa: id_subjek
  warga:
    - id_subjek
    - SELECT id_subjek FROM warga WHERE id_keluarga = :id_keluarga
  dinsos_bansos: SELECT w.id_subjek FROM warga k JOIN warga w ON w.id_keluarga = k.id_keluarga WHERE k.id_subjek = :id_subjek
  dinkes_kunjungan: id_subjek
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
  - {table: dinkes_kunjungan, columns: [id_subjek, vaksin]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  id_keluarga: {type: text, pdp: P, title: {id: Nama samaran KK, en: Pseudonym of the family card}}
  tgl_lahir: {type: text, pdp: A, title: {id: Tanggal lahir, en: Date of birth}}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  keluarga_pbi_jk: {type: bool, pdp: A, title: {id: Keluarga peserta PBI-JK, en: Family in the health subsidy}, from: [dinsos_bansos.program, dinsos_bansos.status]}
  antigen: {type: json, pdp: A, title: {id: Antigen yang sudah diterima, en: Antigens received}, from: [dinkes_kunjungan.vaksin]}
  antigen_berikut: {type: text, pdp: A, title: {id: Antigen berikut menurut jadwal, en: Next antigen by the schedule}, from: [dinkes_kunjungan.vaksin]}
---*/
SELECT w.id_subjek AS id_subjek, w.id_keluarga AS id_keluarga, w.tgl_lahir AS tgl_lahir, w.kode_kel AS kode_kel,
       EXISTS (SELECT 1 FROM warga k JOIN dinsos_bansos b ON b.id_subjek = k.id_subjek
               WHERE k.id_keluarga = w.id_keluarga AND b.status = 'AKTIF' AND b.program = 'PBI-JK') AS keluarga_pbi_jk,
       (SELECT json_group_array(vaksin) FROM (SELECT DISTINCT k.vaksin AS vaksin FROM dinkes_kunjungan k
         WHERE k.id_subjek = w.id_subjek AND k.vaksin IS NOT NULL ORDER BY k.vaksin)) AS antigen,
       CASE WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'HB0') THEN 'HB0'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'BCG') THEN 'BCG'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'POLIO1') THEN 'POLIO1'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'DPT1') THEN 'DPT1'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'POLIO2') THEN 'POLIO2'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'DPT2') THEN 'DPT2'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'POLIO3') THEN 'POLIO3'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'DPT3') THEN 'DPT3'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'POLIO4') THEN 'POLIO4'
            WHEN NOT EXISTS (SELECT 1 FROM dinkes_kunjungan k WHERE k.id_subjek = w.id_subjek AND k.vaksin = 'MR1') THEN 'MR1'
       END AS antigen_berikut
FROM warga w
WHERE w.status = 'H'
  AND EXISTS (SELECT 1 FROM disdukcapil_peristiwa e WHERE e.id_subjek = w.id_subjek AND e.jenis = 'LAHIR')
