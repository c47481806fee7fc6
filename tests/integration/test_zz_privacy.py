"""After everything else: no NIK in any log, metric, URL, key or header of the whole run."""
import re
import subprocess

from confluent_kafka import Consumer

from conftest import OPDS, ROOT, WORK
from test_readers import read_all, topics_of

FEEDS = ROOT / "deploy/demo/feeds"


def sample_niks():
    text = (FEEDS / "disdukcapil_penduduk.psv").read_bytes() + (FEEDS / "disdukcapil_peristiwa.psv").read_bytes()
    niks = set(re.findall(rb"(?<!\d)\d{16}(?!\d)", text))
    assert len(niks) > 2000
    return niks


def found(text, niks):
    return {n for n in re.findall(rb"(?<!\d)\d{16}(?!\d)", text) if n in niks}


def test_no_nik_in_any_log(sample):
    niks, logs = sample_niks(), [p for p in WORK.glob("*/log/*.log")] + [p for p in WORK.glob("*/kafka/*.log")]
    assert len(logs) >= len(OPDS) + 2
    for log in logs:
        assert not found(log.read_bytes(), niks), "a NIK in %s" % log.name


def test_no_nik_in_reports_metrics_and_catalogues(sample):
    niks = sample_niks()
    reports = list(WORK.glob("*/drop/*/*/*.laporan.txt"))
    assert reports
    for report in reports:
        assert not found(report.read_bytes(), niks), "a NIK in %s" % report.name
    for path, url in (("/metrics", sample.ops), ("/v1/topics", None), ("/v1/quality", None), ("/v1/adapters", None), ("/v1/views", None),
                      ("/v1/openapi.json", None)):
        status, _, body = sample.request(path, url=url)
        assert status == 200 and not found(body, niks), "a NIK in " + path


def test_no_nik_in_keys_and_headers(sample):
    niks = sample_niks()
    for topic in topics_of(sample.bootstrap):
        for message in read_all(sample.bootstrap, topic):
            outside = (message.key() or b"") + b" " + b" ".join(v or b"" for _, v in message.headers())
            assert not found(outside, niks), "a NIK in a key or header of " + topic


def test_personal_columns_are_masked_without_a_grant(sample):
    niks = sample_niks()
    secret = next(l.split()[-1] for l in sample.output.splitlines() if "dinsos:" in l)
    status, _, body = sample.request("/v1/views/penerima_bansos_meninggal", key=secret)
    assert status == 200 and found(body, niks)  # granted by name
    status, _, body = sample.request("/v1/views/asn_aktif_meninggal", key=secret)
    assert status == 404 and not found(body, niks)


def test_preview_shows_personal_fields_only_when_asked(sample):
    niks, titian = sample_niks(), str(ROOT / "build/release/bin/titian")
    command = [titian, "adapter", "preview", "--config", str(sample.dir / "conf/disdukcapil.yaml"), "--limit", "3"]
    file = str(FEEDS / "disdukcapil_penduduk.psv")
    masked = subprocess.run(command + [file], capture_output=True, check=True, timeout=60).stdout
    assert not found(masked, niks) and b"2000" in masked
    assert found(subprocess.run(command + ["--personal", file], capture_output=True, check=True, timeout=60).stdout, niks)
