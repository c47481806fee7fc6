/*---
name: kualitas_umpan
title: {id: Mutu umpan setiap OPD, en: Quality of each department's feed}
about:
  id: 'Berapa baris yang ditawarkan, diterima, ditolak, dan diterima tanpa tergabung ke siapa pun: berkas terbaru bagi register, semua berkas bagi peristiwa. Rinciannya di /v1/quality.'
  en: 'How many rows were offered, accepted, refused, and accepted without joining anybody: the newest file of a register, all files of events. Details are in /v1/quality.'
owner: diskominfo
purpose: {id: Produsen data memperbaiki datanya, en: Producers mend their data}
basis: Perpres 39/2019
freshness: {max_age: 1d}
access: open
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: GOVE
  area: kota
  concept: {id: 'Mutu data: bagian baris yang memenuhi standar data saat diterima', en: 'Data quality: the share of rows that meet the standard as they arrive'}
  classification: {id: Nama umpan dan OPD di bus ini, en: Names of feeds and departments on this bus}
  measure: {id: Cacah baris menurut umpan, en: Number of rows by feed}
  unit: baris
  keywords: [mutu_data, satu_data]
key: umpan
store: full
pace: total
routes:
  disdukcapil_berkas: umpan
  dinkes_berkas: umpan
  dinsos_berkas: umpan
  disdik_berkas: umpan
  bapenda_berkas: umpan
  dpmptsp_berkas: umpan
  bkpsdm_berkas: umpan
indexes:
  - {table: disdukcapil_berkas, columns: [umpan, urutan]}
  - {table: dinkes_berkas, columns: [umpan, urutan]}
  - {table: dinsos_berkas, columns: [umpan, urutan]}
  - {table: disdik_berkas, columns: [umpan, urutan]}
  - {table: bapenda_berkas, columns: [umpan, urutan]}
  - {table: dpmptsp_berkas, columns: [umpan, urutan]}
  - {table: bkpsdm_berkas, columns: [umpan, urutan]}
columns:
  umpan: {type: text, pdp: N, title: {id: Umpan, en: Feed}}
  opd: {type: text, pdp: N, title: {id: OPD, en: Department}}
  berkas: {type: int, pdp: N, unit: berkas, title: {id: Berkas yang dihitung, en: Files counted}}
  baris_data: {type: int, pdp: N, unit: baris, title: {id: Baris data, en: Data rows}}
  diterima: {type: int, pdp: N, unit: baris, title: {id: Diterima, en: Accepted}}
  ditolak: {type: int, pdp: N, unit: baris, title: {id: Ditolak, en: Refused}}
  tak_tergabung: {type: int, pdp: N, unit: baris, title: {id: Diterima tanpa tergabung, en: Accepted but joining nobody}}
  persen_diterima: {type: real, pdp: N, unit: persen, title: {id: Persen diterima, en: Per cent accepted}}
  selesai: {type: text, pdp: N, title: {id: Berkas terakhir selesai, en: Last file finished}}
---*/
SELECT umpan, opd, berkas, baris_data, diterima, ditolak, tak_tergabung,
       CASE WHEN baris_data > 0 THEN round(100.0 * diterima / baris_data, 2) END AS persen_diterima, selesai
FROM (
SELECT b.umpan AS umpan, 'disdukcapil' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM disdukcapil_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM disdukcapil_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'dinkes' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM dinkes_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM dinkes_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'dinsos' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM dinsos_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM dinsos_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'disdik' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM disdik_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM disdik_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'bapenda' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM bapenda_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM bapenda_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'dpmptsp' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM dpmptsp_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM dpmptsp_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
UNION ALL
SELECT b.umpan AS umpan, 'bkpsdm' AS opd, count(*) AS berkas, sum(b.baris_data) AS baris_data, sum(b.diterima) AS diterima,
       sum(b.ditolak) AS ditolak, sum(b.tak_tergabung) AS tak_tergabung, max(b.selesai) AS selesai
FROM bkpsdm_berkas b
WHERE b.status IN ('SELESAI', 'TERPOTONG')
  AND (NOT b.lengkap OR b.urutan = (SELECT max(c.urutan) FROM bkpsdm_berkas c
                                    WHERE c.umpan = b.umpan AND c.status IN ('SELESAI', 'TERPOTONG')))
GROUP BY b.umpan
)
