"""Container files between `titian avro` and fastavro, in every codec, both ways; a short run of the differential
fuzzer. Needs no broker."""
import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import fastavro
import pytest

ROOT = Path(__file__).resolve().parents[2]
TITIAN = ROOT / "build/release/bin/titian"
CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"]
SCHEMA = {
    "type": "record",
    "name": "Uji",
    "namespace": "id.go.pekanbaru",
    "fields": [
        {"name": "i", "type": "long"},
        {"name": "s", "type": ["null", "string"]},
        {"name": "d", "type": "double"},
        {"name": "a", "type": {"type": "array", "items": "string"}},
    ],
}
RECORDS = [
    {"i": n * (-1) ** n, "s": None if n % 3 == 0 else f"Kampung Baru é {n}", "d": n / 8, "a": ["x"] * (n % 4)}
    for n in range(6000)
]


def run(*args, **more):
    return subprocess.run([TITIAN, "avro", *map(str, args)], capture_output=True, text=True, timeout=60, **more)


@pytest.mark.parametrize("codec", CODECS)
def test_fastavro_reads_what_titian_makes(tmp_path, codec):
    (tmp_path / "s.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(r) + "\n" for r in RECORDS))
    done = run("make", "--schema", tmp_path / "s.avsc", "--codec", codec, tmp_path / "in.ndjson", tmp_path / "out.avro")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out.avro", "rb") as f:
        reader = fastavro.reader(f)
        assert reader.codec == codec
        assert list(reader) == RECORDS


@pytest.mark.parametrize("codec", CODECS)
def test_titian_reads_what_fastavro_makes(tmp_path, codec):
    with open(tmp_path / "in.avro", "wb") as f:
        fastavro.writer(f, SCHEMA, RECORDS, codec=codec, metadata={"asal": "uji"})
    done = run("cat", tmp_path / "in.avro")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == RECORDS
    meta = run("meta", tmp_path / "in.avro").stdout.splitlines()
    assert f"codec\t{codec}" in meta
    assert f"records\t{len(RECORDS)}" in meta
    assert 'metadata\t{"asal":"uji"}' in meta
    rabin = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO")
    assert f"fingerprint\t{rabin}" in meta


def test_a_broken_line_leaves_no_file(tmp_path):
    (tmp_path / "s.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "in.ndjson").write_text(json.dumps(RECORDS[0]) + '\n{"i":"satu"}\n')
    done = run("make", "--schema", tmp_path / "s.avsc", tmp_path / "in.ndjson", tmp_path / "out.avro")
    assert done.returncode == 1
    assert "in.ndjson:2:" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.ndjson", "s.avsc"]


def test_a_cut_file_is_read_up_to_the_cut(tmp_path):
    with open(tmp_path / "in.avro", "wb") as f:
        fastavro.writer(f, SCHEMA, RECORDS, sync_interval=1000)
    whole = (tmp_path / "in.avro").read_bytes()
    (tmp_path / "in.avro").write_bytes(whole[:-100])
    done = run("cat", tmp_path / "in.avro")
    assert done.returncode == 1
    assert f"byte {len(whole) - 100}:" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert 0 < len(lines) < len(RECORDS)
    assert lines == RECORDS[: len(lines)]


def test_random_avro_is_to_us_what_it_is_to_avro_java_and_fastavro():
    """The same cases every time; `make fuzz-diff` looks for others."""
    done = subprocess.run([sys.executable, ROOT / "tests/fuzz/diff/avro_diff.py", "--seed", "1", "--cases", "3000",
                           "--seconds", "200"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


def test_csv_says_what_fastavro_reads(tmp_path):
    with open(tmp_path / "in.avro", "wb") as f:
        fastavro.writer(f, SCHEMA, RECORDS)
    done = run("cat", "--csv", tmp_path / "in.avro")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert len(rows) == len(RECORDS)
    for row, r in zip(rows, RECORDS):
        assert (int(row["i"]), row["s"], float(row["d"]), json.loads(row["a"])) == (r["i"], r["s"] or "", r["d"], r["a"])


def test_the_command_line_says_one_thing(tmp_path):
    (tmp_path / "s.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(r) + "\n" for r in RECORDS[:5]))
    done = subprocess.run([TITIAN, "avro", "make", "--schema", "s.avsc", "in.ndjson", "-"], cwd=tmp_path, capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert list(fastavro.reader(io.BytesIO(done.stdout))) == RECORDS[:5]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.ndjson", "s.avsc"]
    (tmp_path / "x.avro").write_bytes(done.stdout)
    both = run("cat", "--avro", "--csv", tmp_path / "x.avro")
    assert (both.returncode, both.stdout) == (2, "") and "one of them" in both.stderr
