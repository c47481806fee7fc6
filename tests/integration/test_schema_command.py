"""titian schema check, diff, register, search against a registry, the way a department's pipeline runs them."""
import json
import os
import signal
import subprocess
import time

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

from test_registry import BIN, Registry

OK, FINDINGS, USAGE, INCOMPATIBLE, NOT_FOUND, UNREACHABLE = 0, 1, 2, 3, 5, 6
SUBJECT = "pku.dinsos.warga.v1-value"


@pytest.fixture(scope="module")
def registry(request, tmp_path_factory):
    bootstrap = os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")
    r = Registry(bootstrap, "_schemas_command_%d_%d" % (os.getpid(), time.time()),
                 tmp_path_factory.mktemp("registry")).start()
    yield r
    assert r.kill(signal.SIGTERM) == 0


@pytest.fixture
def titian(registry, tmp_path):
    def run(*args, lang="C", registry_url=registry.url):
        env = {"PATH": os.environ["PATH"], "LANG": lang}
        done = subprocess.run([BIN / "titian", "schema", args[0], *(["--registry", registry_url] if registry_url else []),
                               *map(str, args[1:])], env=env, cwd=tmp_path, text=True, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr
    return run


def field(name, type_="string", **more):
    return {"name": name, "type": type_, "doc": "d", "x_pdp": "N", **more}


def write(folder, *fields, name="warga.avsc"):
    (folder / "dinsos").mkdir(parents=True, exist_ok=True)
    (folder / "dinsos" / name).write_text(json.dumps({
        "type": "record", "name": "Warga", "namespace": "id.go.kota.dinsos.v1", "doc": "d", "x_topik": "pku.dinsos.warga.v1",
        "x_jenis": "register", "x_kunci": "id", "x_produsen": "dinsos", "x_walidata": "kominfo",
        "fields": [field("id"), field("alamat", "id.go.kota.bersama.v1.Alamat"), *fields]}))
    (folder / "bersama").mkdir(exist_ok=True)
    (folder / "bersama" / "alamat.avsc").write_text(json.dumps({
        "type": "record", "name": "Alamat", "namespace": "id.go.kota.bersama.v1", "doc": "d", "x_jenis": "tipe",
        "fields": [field("rt", "int")]}))
    return folder


def test_a_folder_is_registered_checked_compared_and_searched(registry, titian, tmp_path):
    folder = write(tmp_path / "avsc")
    client = SchemaRegistryClient({"url": registry.url})
    code, out, err = titian("register", "--dry-run", folder)
    assert (code, client.get_subjects()) == (OK, []), err
    assert {line.split("\t")[3] for line in out.splitlines()} == {"would-register"}
    code, out, err = titian("register", folder)
    assert code == OK, err
    assert {line.split("\t")[0]: line.split("\t")[2:] for line in out.splitlines()} == {
        "id.go.kota.bersama.v1.Alamat": ["1", "new"], SUBJECT: ["1", "new"]}
    stored = client.get_latest_version(SUBJECT)
    assert [(r.name, r.subject, r.version) for r in stored.schema.references] == [
        ("id.go.kota.bersama.v1.Alamat", "id.go.kota.bersama.v1.Alamat", 1)]
    code, out, _ = titian("register", "--json", folder)
    assert (code, {json.loads(line)["state"] for line in out.splitlines()}) == (OK, {"known"})
    assert client.get_versions(SUBJECT) == [1]

    code, out, err = titian("check", folder)
    assert code == OK and out.count("\tunchanged\n") == 2, err
    write(folder, field("umur", "int"))
    code, out, err = titian("check", folder)
    assert code == INCOMPATIBLE and "Field 'umur' is new and has no default" in err
    code, _, err = titian("check", folder, lang="id_ID.UTF-8")
    assert code == INCOMPATIBLE and "Kolom 'umur' baru dan tidak punya nilai bawaan" in err
    code, _, err = titian("register", "--dry-run", folder)
    assert code == INCOMPATIBLE and "READER_FIELD_MISSING_DEFAULT_VALUE" in err
    code, _, err = titian("register", folder)
    assert code == INCOMPATIBLE and client.get_versions(SUBJECT) == [1]

    write(folder, field("umur", ["null", "int"], default=None))
    code, out, err = titian("check", "--json", folder)
    of = {o["subject"]: o for o in map(json.loads, out.splitlines())}[SUBJECT]
    assert (code, of["ok"], of["against"], of["level"]) == (OK, True, "1", "BACKWARD"), err
    assert [c["code"] for c in of["diff"]["changes"]] == ["field_added"]
    assert titian("register", folder)[0] == OK and client.get_versions(SUBJECT) == [1, 2]

    code, out, _ = titian("diff", SUBJECT + ":1", SUBJECT)
    assert code == FINDINGS and "Field 'umur' was added" in out and out.endswith("level: FULL\n")
    assert titian("diff", SUBJECT + ":2", SUBJECT)[:2] == (OK, "level: FULL\n")
    code, out, _ = titian("diff", "--json", SUBJECT + ":2", SUBJECT + ":1")
    assert code == FINDINGS and json.loads(out)["changes"][0]["code"] == "field_removed"
    assert titian("diff", SUBJECT + ":9", SUBJECT)[0] == NOT_FOUND

    code, out, _ = titian("search", "--field", "um*")
    assert (code, out.split("\t")[:2]) == (OK, [SUBJECT, "umur"])
    assert "alamat.rt" in titian("search", "--field", "rt")[1]
    assert titian("search", "--field", "tidak_ada")[0] == NOT_FOUND


def test_faults_and_absence_have_codes_of_their_own(titian, tmp_path):
    folder = write(tmp_path / "avsc")
    assert titian("check", folder, registry_url="http://127.0.0.1:1")[0] == UNREACHABLE
    assert titian("register", folder, registry_url="http://127.0.0.1:1")[0] == UNREACHABLE
    assert titian("check", tmp_path / "nothing")[0] == NOT_FOUND
    assert titian("check", "--level", "SIDEWAYS", folder)[0] == USAGE
    (folder / "dinsos" / "bad.avsc").write_text("{")
    code, out, err = titian("check", folder, registry_url=None)
    assert code == FINDINGS and "bad.avsc" in err and "warga.avsc" in out
