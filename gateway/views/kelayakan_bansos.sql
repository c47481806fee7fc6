/*---
name: kelayakan_bansos
title: {id: Kelayakan bantuan sosial seseorang, en: Eligibility of a person for social assistance}
about:
  id: 'Bukti dari enam OPD untuk satu orang: padan dengan Dukcapil, hidup, berdomisili, ada ASN dalam keluarganya, punya usaha bukan mikro, kelas NJOP, bantuan yang berjalan. Keputusan tetap pada Dinsos.'
  en: 'Evidence of six departments about one person: known to the civil registry, alive, resident, a civil servant in the family, a business above micro, class of property, running assistance. The decision stays with Dinsos.'
owner: dinsos
purpose:
  id: Verifikasi penerima bantuan sosial dalam satu kunjungan
  en: Verifying a recipient of assistance in one visit
basis: UU 27/2022 pasal 20(2)e; Permensos 3/2021
dpia: kelayakan_bansos
freshness: {max_age: 1d, inputs: {disdukcapil_penduduk: 366d}}
access: shared
catalogue:
  issued: 2026-11-23
  since: 2025-01-01
  theme: SOCI
  area: orang
  concept: {id: 'Kelayakan: keadaan seseorang yang dipertimbangkan untuk bantuan sosial', en: 'Eligibility: a person''s circumstances as weighed for assistance'}
  classification: {id: Program bantuan menurut Dinsos; kode wilayah Kemendagri, en: 'Dinsos''s programmes; Ministry of Home Affairs'' area codes'}
  measure: {id: Satu baris per orang, en: One row for each person}
  unit: orang
  keywords: [bansos, kelayakan]
scope: [kode_kel]
key: id_subjek
routes:
  warga:
    - id_subjek
    - SELECT id_subjek FROM warga WHERE id_keluarga = :id_keluarga
  dinsos_bansos: id_subjek
  bkpsdm_asn: SELECT w.id_subjek FROM warga k JOIN warga w ON w.id_keluarga = k.id_keluarga WHERE k.id_subjek = :id_subjek
  dpmptsp_nib: id_subjek
  bapenda_pbb:
    - id_subjek
    - SELECT id_subjek FROM bapenda_pbb WHERE nop = :nop
indexes:
  - {table: dinsos_bansos, columns: [id_subjek, status]}
  - {table: bkpsdm_asn, columns: [id_subjek, status]}
  - {table: dpmptsp_nib, columns: [id_subjek, status]}
  - {table: bapenda_pbb, columns: [id_subjek]}
  - {table: bapenda_pbb, columns: [nop, tahun]}
columns:
  id_subjek: {type: text, pdp: P, title: {id: Nama samaran, en: Pseudonym}}
  padan_dukcapil: {type: bool, pdp: U, title: {id: Dikenal Dukcapil, en: Known to the civil registry}}
  status_hidup: {type: text, pdp: U, title: {id: 'HIDUP, MENINGGAL, PINDAH atau TIDAK_DIKENAL', en: 'Lives here (HIDUP), dead, moved away or unknown'}, from: [warga.status]}
  domisili_kota: {type: bool, pdp: U, title: {id: Berdomisili di kota, en: Resident of the city}, from: [warga.status]}
  kode_kel: {type: text, pdp: N, title: {id: Kode kelurahan, en: Kelurahan}}
  asn_di_keluarga: {type: bool, pdp: U, title: {id: Ada ASN atau pensiunan dalam KK, en: A civil servant or pensioner in the family}, from: [bkpsdm_asn.status, warga.id_keluarga]}
  usaha_bukan_mikro: {type: bool, pdp: S, title: {id: Punya usaha aktif di atas skala mikro, en: Has an active business above micro scale}, from: [dpmptsp_nib.status, dpmptsp_nib.proyek]}
  njop_kelas: {type: text, pdp: S, title: {id: 'Kelas NJOP objek miliknya: NIHIL, <100JT, 100-500JT, >500JT', en: Class of the value of property owned}, from: [bapenda_pbb.njop, bapenda_pbb.tahun]}
  bantuan_berjalan: {type: json, pdp: S, title: {id: Program bantuan yang aktif, en: Running programmes}, from: [dinsos_bansos.program, dinsos_bansos.status]}
---*/
SELECT o.id_subjek AS id_subjek, o.padan AS padan_dukcapil,
       CASE o.status WHEN 'H' THEN 'HIDUP' WHEN 'M' THEN 'MENINGGAL' WHEN 'P' THEN 'PINDAH' ELSE 'TIDAK_DIKENAL' END
           AS status_hidup,
       coalesce(o.status = 'H', 0) AS domisili_kota,
       o.kode_kel AS kode_kel,
       EXISTS (SELECT 1 FROM warga k JOIN bkpsdm_asn a ON a.id_subjek = k.id_subjek
               WHERE k.id_keluarga = o.id_keluarga AND a.status IN ('AKTIF', 'CUTI', 'PENSIUN')) AS asn_di_keluarga,
       EXISTS (SELECT 1 FROM dpmptsp_nib n
               WHERE n.id_subjek = o.id_subjek AND n.status = 'AKTIF'
                 AND (instr(n.proyek, '"skala":"KECIL"') > 0 OR instr(n.proyek, '"skala":"MENENGAH"') > 0
                      OR instr(n.proyek, '"skala":"BESAR"') > 0)) AS usaha_bukan_mikro,
       (SELECT CASE WHEN coalesce(sum(p.njop), 0) = 0 THEN 'NIHIL'
                    WHEN sum(p.njop) < 100000000 THEN '<100JT'
                    WHEN sum(p.njop) <= 500000000 THEN '100-500JT' ELSE '>500JT' END
        FROM bapenda_pbb p
        WHERE p.id_subjek = o.id_subjek
          AND NOT EXISTS (SELECT 1 FROM bapenda_pbb q WHERE q.nop = p.nop AND q.tahun > p.tahun)) AS njop_kelas,
       (SELECT json_group_array(program) FROM (SELECT DISTINCT b.program AS program FROM dinsos_bansos b
         WHERE b.id_subjek = o.id_subjek AND b.status = 'AKTIF' ORDER BY b.program)) AS bantuan_berjalan
FROM (SELECT w.id_subjek, 1 AS padan, w.status, w.id_keluarga, w.kode_kel FROM warga w
      UNION ALL
      SELECT b.id_subjek, 0, NULL, NULL, NULL FROM dinsos_bansos b
      WHERE NOT EXISTS (SELECT 1 FROM warga w WHERE w.id_subjek = b.id_subjek)
        AND b._key = (SELECT min(c._key) FROM dinsos_bansos c WHERE c.id_subjek = b.id_subjek)) o
