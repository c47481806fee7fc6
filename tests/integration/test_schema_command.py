"""titian schema check, diff, register, search against a registry, the way a department's pipeline runs them."""
import json
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


def alone(*args):
    """titian without a registry."""
    done = subprocess.run([BIN / "titian", *map(str, args)], env={"PATH": os.environ["PATH"], "LANG": "C"}, text=True,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


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


@pytest.mark.parametrize("broken,code", [("typo.avsc", NOT_FOUND), ("typo", NOT_FOUND), ("broken.avsc", FINDINGS),
                                         ("holds_one", FINDINGS), ("empty", NOT_FOUND)])
@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_earlier_versions_that_cannot_be_read_give_no_verdict(tmp_path, broken, code, json_):
    folder = write(tmp_path / "avsc")
    write(tmp_path / "holds_one")
    (tmp_path / "holds_one/dinsos/broken.avsc").write_text("{")
    (tmp_path / "broken.avsc").write_text("{")
    (tmp_path / "empty").mkdir()
    got, out, err = alone("schema", "check", *json_, "--against", tmp_path / broken, folder)
    assert got == code, out + err
    assert "all right" not in err and "new" not in out and '"ok":true' not in out
    assert alone("schema", "check", *json_, "--against", folder, folder)[0] == OK


@pytest.fixture
def web():
    """A web server that is no registry: what it answers is for the test to set."""
    class Page(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("command", [["check"], ["register", "--dry-run"], ["register"]])
def test_only_a_registry_can_say_that_a_subject_is_new(registry, titian, web, tmp_path, command):
    folder = write(tmp_path / "fresh")
    for name in "dinsos/warga.avsc", "bersama/alamat.avsc":  # nobody registered these
        path = folder / name
        path.write_text(path.read_text().replace("id.go.kota", "id.go.baru").replace("pku.dinsos", "pku.baru"))
    url = "http://127.0.0.1:%d" % web.server_port
    for answer in (404, b"<h1>Not Found</h1>"), (404, b'{"error_code":404,"message":"HTTP 404 Not Found"}'), (200, b"<h1>Hi</h1>"):
        web.answer = answer
        code, out, err = titian(*command, folder, registry_url=url)
        assert (code, out) == (UNREACHABLE, "") and "no registry answers there" in err and "all right" not in err, answer
    code, out, err = titian(*command, folder, registry_url=registry.url + "/nope")
    assert (code, out) == (UNREACHABLE, "") and "no registry answers there" in err
    if command != ["register"]:
        code, out, err = titian(*command, folder)
        assert code == OK and ("would-register" in out or "\tnew\n" in out), err


def test_a_draft_has_a_key_that_there_is_and_warns_of_a_personal_one(tmp_path):
    sample = tmp_path / "warga.csv"
    sample.write_text("kode,nik\n" + "".join("K-%d,14710150019900%02d\n" % (n, n) for n in range(10, 30)))
    code, out, err = alone("schema", "derive", "--key", "nope", sample)
    assert (code, out) == (USAGE, "") and "no field 'nope'; there are: kode, nik" in err
    code, out, err = alone("schema", "derive", "--key", "nik", sample)
    assert (code, json.loads(out)["x_kunci"]) == (OK, "nik") and "--key nik: looks like personal data (x_pdp U)" in err
    (tmp_path / "warga.avsc").write_text(out)
    assert "[key-personal]" in alone("schema", "check", tmp_path / "warga.avsc")[2]  # as the warning says
    code, out, err = alone("schema", "derive", "--key", "kode", sample)
    assert (code, json.loads(out)["x_kunci"]) == (OK, "kode") and "personal data" not in err


def test_what_others_wrote_moves_no_terminal_and_no_column(tmp_path):
    (tmp_path / "a.avsc").write_text(json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "kode", "type": "string", "doc": "a\tb\nc\x1b[31md\x9b1me é"}]}))
    code, out, _ = alone("schema", "search", "--field", "kode", tmp_path / "a.avsc")
    assert code == OK and out.splitlines()[0].split("\t")[1:] == ["kode", "string", "", "a b c\\x1B[31md\\x9B1me é"]
    assert out.count("\n") == 1
    (tmp_path / "a.csv").write_text('"kode\tini\x1b[2J","b\nc"\n' + "".join("x%d,y z\n" % n for n in range(20)))
    code, _, err = alone("schema", "derive", tmp_path / "a.csv")
    assert code == OK and "<- 'kode ini\\x1B[2J'" in err and "<- 'b c'" in err and "\x1b" not in err and "\t" not in err
