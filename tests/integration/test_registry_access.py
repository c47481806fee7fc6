"""titian-registry over TLS, with a policy: Confluent's own client with a password, a token, a certificate; and what an
attacker would try. Certificates are made by the openssl command (tests/support/pki.sh).

    TITIAN_BOOTSTRAP=127.0.0.1:9092 pytest tests/integration/test_registry_access.py
"""
import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time
import urllib.parse

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from conftest import free_ports, wait_for
from test_registry import BIN, ROOT, TYPE, A, B_DEFAULT, kafka, record  # noqa: F401 (kafka is a fixture)

POLICY = """
users:
  dinsos:
    certificate: ["DNS:adapter.dinsos.test"]
    write: ["pku.dinsos.*", ":.uji:pku.dinsos.*"]
    delete: ["pku.dinsos.*"]
    configure: ["pku.dinsos.*"]
  dinkes: { write: ["pku.dinkes.*"] }
  lebar: { configure: [":*:*"] }
  admin: { admin: true, certificate: ["CN=admin"] }
everyone: { read: ["pku.bersama.*"] }
"""
PASSWORD = "kata sandi: dinsos"


class Registry:
    """One node, on TLS, with the policy."""

    def __init__(self, kafka, topic, folder, pki, **options):
        self.folder, self.pki = folder, pki
        self.port = free_ports(1)
        self.url = "https://127.0.0.1:%d" % self.port
        self.tls = ssl.create_default_context(cafile=str(pki / "ca.pem"))
        options = {"kafka.bootstrap": kafka, "registry.topic": topic, "http.port": self.port,
                   "http.tls.certificate": pki / "server.pem", "http.tls.key": pki / "server.key",
                   "http.tls.client_ca": pki / "ca.pem", "http.tls.client_crl": pki / "crl.pem",
                   "access.policy": folder / "policy.yaml", "access.users": folder / "users", **options}
        self.command = [BIN / "titian-registry"]
        for name, value in options.items():
            self.command += ["--set", "%s=%s" % (name.replace("__", "."), value)]
        self.log_path = folder / ("registry-%d.log" % self.port)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=open(self.log_path, "a"))

        def ready():
            assert self.process.poll() is None, self.log()
            try:
                return self.ask("GET", "/readyz")[0] == 200 and self.ask("GET", "/master_available")[1] == {"master_available": True}
            except OSError:
                return False
        wait_for(ready, 60, "the registry is ready")
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0

    def log(self):
        return self.log_path.read_text()

    def connection(self, certificate=None):
        tls = self.tls
        if certificate:
            tls = ssl.create_default_context(cafile=str(self.pki / "ca.pem"))
            tls.load_cert_chain(self.pki / (certificate + ".pem"), self.pki / (certificate + ".key"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=tls)

    def ask(self, method, path, body=None, user=None, password=None, token=None, certificate=None, headers=None):
        """(status, body as JSON or text, headers)"""
        head = {"Content-Type": TYPE, **(headers or {})}
        if user:
            head["Authorization"] = "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        if token:
            head["Authorization"] = "Bearer " + token
        c = self.connection(certificate)
        try:
            c.request(method, path, None if body is None else json.dumps(body), head)
            answer = c.getresponse()
            text = answer.read().decode()
        finally:
            c.close()
        return answer.status, json.loads(text) if text[:1] in ("{", "[", '"') else text, answer.headers

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
            with self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                s.sendall(data)
                s.settimeout(20)
                got = b""
                try:
                    while chunk := s.recv(65536):
                        got += chunk
                except (TimeoutError, ssl.SSLError, ConnectionError):
                    pass
        return got


def command(*args):
    done = subprocess.run([BIN / "titian-registry", *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", ROOT / "tests/support/pki.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    (folder / "policy.yaml").write_text(POLICY)
    secret = folder / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    command("user", "new", "--users", folder / "users", "--name", "dinsos", "--password-file", secret)
    return folder


@pytest.fixture(scope="module")
def token(folder):
    return {name: command("token", "new", "--users", folder / "users", "--name", name)
            for name in ("admin", "dinkes", "lebar", "tamu")}


@pytest.fixture(scope="module")
def registry(kafka, folder, token, pki):  # noqa: F811
    r = Registry(kafka, "_schemas_access_%d_%d" % (os.getpid(), time.time()), folder, pki).start()
    for subject in ("pku.dinsos.contoh.v1-value", "pku.dinkes.pasien.v1-value", "pku.bersama.agama.v1-value"):
        status, body, _ = r.ask("POST", "/subjects/%s/versions" % subject,
                                {"schema": record(A, name=subject.split(".")[2])}, token=token["admin"])
        assert status == 200, body
    yield r
    r.stop()


@pytest.fixture
def ids(registry, token):
    def of(subject):
        return registry.ask("GET", "/subjects/%s/versions/latest" % subject, token=token["admin"])[1]["id"]
    return {name: of("pku.%s.v1-value" % name) for name in ("dinsos.contoh", "dinkes.pasien", "bersama.agama")}


# --- Confluent's client -----------------------------------------------------------------------------------

def clients(registry, token, pki):
    ca = {"url": registry.url, "ssl.ca.location": str(pki / "ca.pem")}
    return {
        "password": {**ca, "basic.auth.user.info": "dinsos:" + PASSWORD},
        "certificate": {**ca, "ssl.certificate.location": str(pki / "dinsos.pem"),
                        "ssl.key.location": str(pki / "dinsos.key")},
    }


@pytest.mark.parametrize("way", ["password", "certificate"])
def test_confluents_client_works_within_its_rights(registry, token, pki, way):
    client = SchemaRegistryClient(clients(registry, token, pki)[way])
    subject = "pku.dinsos.%s.v1-value" % way
    first = client.register_schema(subject, Schema(record(A, name=way), "AVRO"))
    assert client.get_latest_version(subject).schema_id == first
    assert json.loads(client.get_schema(first).schema_str)["name"] == way
    assert client.test_compatibility(subject, Schema(record(A, B_DEFAULT, name=way), "AVRO"))
    assert "pku.dinkes.pasien.v1-value" not in client.get_subjects()
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema("pku.dinkes.x-value", Schema(record(A, name="x"), "AVRO"))
    assert (refused.value.http_status_code, refused.value.error_code) == (403, 40301)
    assert client.delete_subject(subject) == [1]


def test_a_token_is_a_password_too(registry, token, pki):
    ca = {"url": registry.url, "ssl.ca.location": str(pki / "ca.pem")}
    client = SchemaRegistryClient({**ca, "basic.auth.user.info": "dinkes:" + token["dinkes"]})
    assert client.get_latest_version("pku.dinkes.pasien.v1-value").version == 1
    bearer = SchemaRegistryClient({**ca, "bearer.auth.credentials.source": "STATIC_TOKEN",
                                   "bearer.auth.token": token["dinkes"], "bearer.auth.logical.cluster": "-",
                                   "bearer.auth.identity.pool.id": "-"})
    assert bearer.get_latest_version("pku.dinkes.pasien.v1-value").version == 1


def test_curl_needs_nothing_special(registry, pki, tmp_path):
    answer = subprocess.run(["curl", "-sS", "--cacert", pki / "ca.pem", "--cert", pki / "dinsos.pem", "--key",
                             pki / "dinsos.key", registry.url + "/subjects"], capture_output=True, text=True, check=True)
    assert "pku.dinsos.contoh.v1-value" in json.loads(answer.stdout)


def test_titian_registers_as_somebody(registry, folder, token, pki, tmp_path):
    def run(config, *more, mode=0o600):
        secret = tmp_path / "secret"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(mode)
        (tmp_path / "client.yaml").write_text(config)
        return subprocess.run([BIN / "titian", "schema", "register", "--registry", registry.url, "--client",
                               tmp_path / "client.yaml", *more], capture_output=True, text=True, env={"LC_ALL": "C"})
    ca = "ca: %s\n" % (pki / "ca.pem")
    password = ca + "user: dinsos\npassword_file: secret\n"
    bansos = ROOT / "schemas/avsc/dinsos/bansos.avsc"
    done = run(password, bansos)
    assert done.returncode == 0 and done.stdout.startswith("pku.dinsos.bansos.v1-value\t"), done.stderr
    refused = run(password, next((ROOT / "schemas/avsc/dinkes").glob("*.avsc")))
    assert refused.returncode == 4 and "User is denied operation" in refused.stderr
    certificate = run(ca + "certificate: %s\nkey: %s\n" % (pki / "dinsos.pem", pki / "dinsos.key"), bansos)
    assert certificate.returncode == 0
    stranger = run("ca: %s\nuser: dinsos\npassword_file: secret\n" % (pki / "other-ca.pem"), bansos)
    assert stranger.returncode != 0 and "certificate" in stranger.stderr
    assert "chmod 600" in run(password, bansos, mode=0o644).stderr
    for out in (done, refused, stranger):
        assert PASSWORD not in out.stdout + out.stderr


# --- TLS --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["stranger", "ended", "revoked", "webonly"])
def test_a_bad_certificate_ends_the_handshake(registry, name):
    with pytest.raises(OSError):
        registry.ask("GET", "/subjects", certificate=name)


def test_old_tls_and_plain_http_are_refused(registry):
    old = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % registry.port, "-tls1_1", "-cipher",
                          "ALL:@SECLEVEL=0"], capture_output=True, text=True, input="")
    assert old.returncode != 0 and "Cipher is (NONE)" in old.stdout
    for version in ("-tls1_2", "-tls1_3"):
        new = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % registry.port, version],
                             capture_output=True, text=True, input="")
        assert new.returncode == 0 and "Cipher is (NONE)" not in new.stdout
    for cipher in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"):  # CBC, SHA-1, no forward secrecy
        weak = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % registry.port, "-tls1_2", "-cipher",
                               cipher + ":@SECLEVEL=0"], capture_output=True, text=True, input="")
        assert weak.returncode != 0
    with socket.create_connection(("127.0.0.1", registry.port), timeout=10) as s:
        s.sendall(b"GET /subjects HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"HTTP/" not in s.recv(100)
        except ConnectionError:
            pass  # hung up without a word


def test_will_not_listen_to_everybody_without_a_policy(kafka, folder, pki):  # noqa: F811
    r = Registry(kafka, "_schemas_open_%d" % os.getpid(), folder, pki, **{"http.address": "0.0.0.0", "access.policy": "",
                                                                        "access.users": ""})
    done = subprocess.run(r.command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "access.policy" in done.stderr
    plain = Registry(kafka, "_schemas_open_%d" % os.getpid(), folder, pki,
                     **{"http.address": "0.0.0.0", "http.tls.certificate": "", "http.tls.key": "",
                        "http.tls.client_ca": "", "http.tls.client_crl": ""})
    done = subprocess.run(plain.command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "TLS" in done.stderr


# --- who --------------------------------------------------------------------------------------------------

def test_asks_who_it_is(registry):
    status, body, headers = registry.ask("GET", "/subjects")
    assert status == 401 and body["error_code"] == 401
    assert [h.split()[0] for h in headers.get_all("WWW-Authenticate")] == ["Basic", "Bearer"]
    assert registry.ask("GET", "/healthz")[0] == 200
    for path in ("/", "/metrics", "/schemas/types", "/config", "/mode", "/contexts", "/schemas/ids/1", "/v1/changes"):
        assert registry.ask("GET", path)[0] == 401, path
    # nobody named, and a certificate of ours that the policy does not know
    assert registry.ask("GET", "/subjects", certificate="nobody")[0] == 401


def test_a_wrong_secret_is_not_mended_by_something_else(registry, token):
    assert registry.ask("GET", "/subjects", user="dinsos", password="wrong", certificate="dinsos")[0] == 401
    assert registry.ask("GET", "/subjects", token=token["dinkes"][:-1] + "g", certificate="dinsos")[0] == 401
    assert registry.ask("GET", "/subjects", user="dinsos", password=token["dinkes"])[0] == 401
    for header in ("Basic", "Basic !!!", "Bearer", "Negotiate abc", "Basic " + "A" * 4000):
        assert registry.ask("GET", "/subjects", headers={"Authorization": header}, certificate="dinsos")[0] == 401


def test_nobody_is_somebody_by_saying_so(registry, token):
    for header in ("X-Forwarded-User", "X-Remote-User", "X-Client-Cert", "X-SSL-Client-S-DN", "X-User", "Titian-User"):
        assert registry.ask("GET", "/subjects", headers={header: "admin"})[0] == 401
    forged = "v1 %d admin %s" % (time.time() * 1000, "0" * 64)
    assert registry.ask("GET", "/subjects", headers={"Titian-Asked-By": forged})[0] == 401
    assert registry.ask("GET", "/subjects", headers={"Titian-Asked-By": forged}, token=token["admin"])[0] == 401
    twice = registry.raw(b"GET /subjects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAuthorization: Bearer %s\r\n\r\n"
                         % (token["dinkes"].encode(), token["admin"].encode()))
    assert twice.startswith(b"HTTP/1.1 400 ")


def test_a_stranger_is_refused_before_his_body(registry, token):
    """Of a large body nobody is told to send it (100) whose token is unknown; who cannot be told from the head is."""
    body = b"x" * 20000

    def told(header):
        answer = registry.raw(b"POST /subjects/pku.dinkes.pasien.v1-value/versions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              b"Expect: 100-continue\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n"
                              % (TYPE.encode(), len(body), header) + body)
        return [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]

    def basic(user, password):
        return b"Authorization: Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()) + b"\r\n"
    unknown = token["dinkes"][:-1] + ("1" if token["dinkes"][-1] == "0" else "0")
    for stranger in (b"", b"Authorization: Bearer %s\r\n" % unknown.encode(), b"Authorization: Basic !!!\r\n",
                     basic("dinkes", unknown), basic("dinsos", token["dinkes"])):
        assert told(stranger) == [b"401"], stranger
    assert told(b"Authorization: Bearer %s\r\n" % token["dinkes"].encode()) == [b"100", b"400"]
    assert told(basic("dinkes", token["dinkes"])) == [b"100", b"400"]
    assert told(basic("dinsos", PASSWORD)) == [b"100", b"403"]  # not his subject
    assert told(basic("dinsos", "wrong")) == told(b"Titian-Asked-By: v1 1 admin 0\r\n") == [b"100", b"401"]


# --- may they ---------------------------------------------------------------------------------------------

def forbidden(answer):
    status, body, _ = answer
    assert (status, body["error_code"]) == (403, 40301), answer
    return body["message"]


def test_each_right_is_asked_for(registry, token):
    mine, theirs = "pku.dinsos.hak.v1-value", "pku.dinkes.pasien.v1-value"
    me = {"user": "dinsos", "password": PASSWORD}
    schema = {"schema": record(A, name="hak")}
    # what is allowed
    assert registry.ask("POST", "/subjects/%s/versions" % mine, schema, **me)[0] == 200
    assert registry.ask("PUT", "/config/" + mine, {"compatibility": "FULL"}, **me)[0] == 200
    assert registry.ask("DELETE", "/config/" + mine, **me)[0] == 200
    assert registry.ask("GET", "/config", **me)[0] == 200
    # what is not, whether it is there or not
    for subject in (theirs, "pku.dinkes.tidak-ada-value", "tidak-ada"):
        for method, path, body, operation in (
                ("GET", "/subjects/%s/versions", None, "Read"), ("GET", "/subjects/%s/versions/1", None, "Read"),
                ("GET", "/subjects/%s/versions/latest/schema", None, "Read"),
                ("GET", "/subjects/%s/versions/1/referencedby", None, "Read"), ("POST", "/subjects/%s", schema, "Read"),
                ("POST", "/compatibility/subjects/%s/versions/latest", schema, "Read"),
                ("GET", "/config/%s", None, "Read"), ("GET", "/mode/%s", None, "Read"),
                ("POST", "/subjects/%s/versions", schema, "Write"), ("DELETE", "/subjects/%s", None, "Delete"),
                ("DELETE", "/subjects/%s/versions/1", None, "Delete"),
                ("DELETE", "/subjects/%s?permanent=true", None, "Delete"),
                ("PUT", "/config/%s", {"compatibility": "NONE"}, "Configure"), ("DELETE", "/config/%s", None, "Configure"),
                ("PUT", "/mode/%s", {"mode": "READONLY"}, "Configure")):
            message = forbidden(registry.ask(method, path % subject, body, **me))
            assert message == "User is denied operation %s on Subject: %s" % (operation, subject)
    # what is an admin's
    for method, path, body in (("PUT", "/config", {"compatibility": "NONE"}), ("PUT", "/mode", {"mode": "READONLY"}),
                               ("DELETE", "/config", None), ("DELETE", "/mode", None),
                               ("PUT", "/mode/" + mine, {"mode": "IMPORT"}), ("PUT", "/mode/" + mine, {"mode": "import"}),
                               ("PUT", "/mode/%s?force=true" % mine, {"mode": "FORWARD"}),
                               ("PUT", "/config/:.:", {"compatibility": "NONE"}),
                               ("PUT", "/mode/:.:", {"mode": "READONLY"}),
                               ("PUT", "/config/:.__GLOBAL:", {"compatibility": "NONE"}),
                               ("DELETE", "/mode/%3A.%3A", None)):
        forbidden(registry.ask(method, path, body, **me))
    assert registry.ask("GET", "/mode", token=token["admin"])[1]["mode"] == "READWRITE"
    # who may write may not delete
    forbidden(registry.ask("DELETE", "/subjects/" + theirs, token=token["dinkes"]))
    # HEAD is GET; OPTIONS tells of routes only
    assert registry.ask("HEAD", "/subjects/%s/versions" % theirs, **me)[0] == 403
    assert registry.ask("OPTIONS", "/subjects/%s/versions" % theirs)[0] == 204


def test_lists_show_what_may_be_read(registry, token, ids):
    me = {"user": "dinsos", "password": PASSWORD}

    def subjects(path):
        return {s if isinstance(s, str) else s["subject"] for s in registry.ask("GET", path, **me)[1]}
    for path in ("/subjects", "/subjects?deleted=true", "/subjects?subjectPrefix=", "/subjects?subjectPrefix=pku",
                 "/subjects?subjectPrefix=:*:", "/schemas", "/schemas?subjectPrefix=:*:pku", "/schemas?latestOnly=true"):
        seen = subjects(path)
        assert "pku.dinsos.contoh.v1-value" in seen and "pku.bersama.agama.v1-value" in seen, path
        assert not any("dinkes" in s for s in seen), path
    assert registry.ask("GET", "/subjects?subjectPrefix=pku.dinkes", **me)[1] == []
    # pages are of what is shown: no hole tells of what is not
    one_by_one = [registry.ask("GET", "/subjects?offset=%d&limit=1" % i, **me)[1] for i in range(len(subjects("/subjects")))]
    assert all(len(page) == 1 for page in one_by_one)
    changes = registry.ask("GET", "/v1/changes", **me)[1]["changes"]
    assert changes and not any("dinkes" in (c["subject"] or "") for c in changes)
    assert not any("dinkes" in s["subject"] for s in registry.ask("GET", "/v1/subjects", **me)[1]["subjects"])
    assert not any("dinkes" in s["subject"] for s in registry.ask("GET", "/v1/search?q=a", **me)[1]["matches"])
    # a stranger with a token sees what everybody may
    assert registry.ask("GET", "/subjects", token=token["tamu"])[1] == ["pku.bersama.agama.v1-value"]


def test_the_feed_over_tls_tells_what_may_be_read(registry, token):
    c = registry.connection()
    after = registry.ask("GET", "/v1/changes", token=token["admin"])[1]["next"]
    auth = base64.b64encode(("dinsos:" + PASSWORD).encode()).decode()
    c.request("GET", "/v1/changes?after=%d" % after, headers={"Accept": "text/event-stream", "Authorization": "Basic " + auth})
    stream = c.getresponse()
    assert stream.status == 200
    for name in ("dinkes", "dinsos"):
        assert registry.ask("POST", "/subjects/pku.%s.umpan-value/versions" % name, {"schema": record(A, name="umpan")},
                            token=token["admin"])[0] == 200
    lines = iter(stream.readline, b"")
    event = next(line for line in lines if line.startswith(b"data:"))
    assert json.loads(event[5:])["subject"] == "pku.dinsos.umpan-value"
    c.close()


def test_a_successor_must_be_theirs_to_see(registry, token):
    me = {"user": "dinsos", "password": PASSWORD}
    answers = [registry.ask("PUT", "/v1/subjects/pku.dinsos.contoh.v1-value/versions/1/state", {
        "state": "deprecated", "successor": {"subject": subject, "version": 1}}, **me)[:2]
        for subject in ("pku.dinkes.pasien.v1-value", "pku.dinkes.tidakada.v1-value")]
    assert answers[0][0] == 422
    assert answers[0][1]["message"].replace("pasien", "tidakada") == answers[1][1]["message"]
    assert registry.ask("PUT", "/v1/uses/dinsos", {"owner": "x", "uses": []}, **me)[0] == 200
    forbidden(registry.ask("PUT", "/v1/uses/dinkes", {"owner": "x", "uses": []}, **me))
    use = {"kind": "service", "name": "s", "subject": "pku.dinsos.contoh.v1-value"}
    assert registry.ask("PUT", "/v1/uses/dinsos", {"owner": "x", "uses": [use]}, **me)[0] == 200
    use["subject"] = "pku.dinkes.pasien.v1-value"
    forbidden(registry.ask("PUT", "/v1/uses/dinsos", {"owner": "x", "uses": [use]}, **me))
    assert registry.ask("PUT", "/v1/uses/dinsos", {"owner": "x", "uses": []}, **me)[0] == 200


def test_an_import_leaves_ids_for_the_others(registry, token):
    me, subject = {"user": "dinsos", "password": PASSWORD}, ":.uji:pku.dinsos.jauh-value"
    assert registry.ask("PUT", "/mode/%s" % subject, {"mode": "IMPORT"}, certificate="admin")[0] == 200
    path, schema = "/subjects/%s/versions" % subject, {"schema": record(A, name="Jauh"), "version": 1}
    for number in (2147483647, 11000000):
        status, body, _ = registry.ask("POST", path, {**schema, "id": number}, **me)
        assert (status, body["error_code"]) == (422, 42205) and "too far above the highest one" in body["message"]
    assert registry.ask("POST", path, {**schema, "id": 9000000}, **me)[0] == 200
    far = {"schema": record(B_DEFAULT, name="Jauh"), "version": 2, "id": 30000000}
    assert registry.ask("POST", path, far, **me)[0] == 422
    assert registry.ask("POST", path, far, certificate="admin")[0] == 200


def test_a_schema_by_id_is_there_for_who_may_read_one_of_its_subjects(registry, token, ids):
    me = {"user": "dinsos", "password": PASSWORD}
    for end in ("", "/schema", "/subjects", "/versions"):
        missing = registry.ask("GET", "/schemas/ids/99999" + end, **me)[:2]
        assert registry.ask("GET", "/schemas/ids/%d%s" % (ids["dinsos.contoh"], end), **me)[0] == 200
        hidden = registry.ask("GET", "/schemas/ids/%d%s" % (ids["dinkes.pasien"], end), **me)[:2]
        assert json.dumps(hidden).replace(str(ids["dinkes.pasien"]), "99999") == json.dumps(missing), "not to be told apart"
    # the same text in a subject of mine: now it is mine to read, and still nobody tells whose else it is
    text = registry.ask("GET", "/schemas/ids/%d/schema" % ids["dinkes.pasien"], token=token["admin"])[1]
    mine = "pku.dinsos.salinan.v1-value"
    assert registry.ask("POST", "/subjects/%s/versions" % mine, {"schema": json.dumps(text)}, **me)[1]["id"] == ids["dinkes.pasien"]
    assert registry.ask("GET", "/schemas/ids/%d/subjects" % ids["dinkes.pasien"], **me)[1] == [mine]
    assert registry.ask("GET", "/schemas/ids/%d/versions" % ids["dinkes.pasien"], **me)[1] == [{"subject": mine, "version": 1}]
    for path in ("/subjects/" + mine, "/subjects/%s?permanent=true" % mine):
        assert registry.ask("DELETE", path, **me)[0] == 200


def test_a_reference_needs_read(registry, token):
    me = {"user": "dinsos", "password": PASSWORD}

    def refer(subject, version, name):
        schema = json.dumps({"type": "record", "name": "Rujuk" + name, "fields": [{"name": "f", "type": name}]})
        return registry.ask("POST", "/subjects/pku.dinsos.rujuk-%s-value/versions" % name.lower(), {
            "schema": schema, "references": [{"name": name, "subject": subject, "version": version}]}, **me)
    assert refer("pku.bersama.agama.v1-value", 1, "agama")[0] == 200
    hidden, missing = refer("pku.dinkes.pasien.v1-value", 1, "pasien"), refer("pku.dinkes.tidakada.v1-value", 1, "pasien")
    assert hidden[0] == 422
    assert hidden[1]["message"].replace("pasien.v1", "X") == missing[1]["message"].replace("tidakada.v1", "X")
    # nor does the subject that is referred to tell who does
    agama = registry.ask("GET", "/subjects/pku.bersama.agama.v1-value/versions/1/referencedby", token=token["tamu"])
    assert agama[1] == []


# --- ways around a prefix ---------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [
    "/subjects/pku%2edinkes.pasien.v1-value/versions",
    "/subjects/pku%2Edinkes%2epasien.v1-value/versions/1",
    "/subjects/:.:pku.dinkes.pasien.v1-value/versions",
    "/subjects/%3A.%3Apku.dinkes.pasien.v1-value/versions",
    "/subjects/:.uji:pku.dinkes.pasien.v1-value/versions",
    "/subjects/:*:pku.dinkes.pasien.v1-value/versions",
    "/subjects/:.pku.dinsos.x:pku.dinkes.pasien.v1-value/versions",
    "/subjects/pku.dinsos/versions",
    "/subjects/PKU.DINSOS.bansos.v1-value/versions",
    "/subjects/%20pku.dinsos.contoh.v1-value/versions",
    "/contexts/.uji/subjects/pku.dinkes.pasien.v1-value/versions",
    "/contexts/./subjects/pku.dinkes.pasien.v1-value/versions",
    "/contexts/:.:/subjects/pku.dinkes.pasien.v1-value/versions",
    "/contexts/pku.dinsos.x/subjects/pku.dinkes.pasien.v1-value/versions",
    "/subjects/pku.dinsos.x/../pku.dinkes.pasien.v1-value/versions",
    "//subjects/pku.dinkes.pasien.v1-value/versions",
    "/subjects//pku.dinkes.pasien.v1-value/versions",
    "/subjects/pku.dinsos.;x=/pku.dinkes.pasien.v1-value/versions",
    "/subjects/pku.dinkes.pasien.v1-value/versions?subject=pku.dinsos.contoh.v1-value",
    "/subjects/pku.dinkes.pasien.v1-value/versions/",
    "/subjects/pku.dinkes.pasien.v1-value%00/versions",
    "http://127.0.0.1/subjects/pku.dinkes.pasien.v1-value/versions",
    "https://127.0.0.1/subjects/pku.dinkes.pasien.v1-value/versions",
])
def test_no_spelling_of_a_subject_gets_around_its_prefix(registry, path):
    auth = base64.b64encode(("dinsos:" + PASSWORD).encode())
    for method, body in ((b"GET", b""), (b"POST", json.dumps({"schema": record(A, name="selundup")}).encode())):
        got = registry.raw(b"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\nContent-Length: %d\r\n"
                           b"Connection: close\r\n\r\n%s" % (method, path.encode(), auth, len(body), body))
        status = int(got.split()[1])
        assert status in (400, 403, 404, 405), (method, path, got)


ME = {"user": "dinsos", "password": PASSWORD}


def test_an_alias_leads_nowhere_that_they_may_not_go(registry, token):
    mine, theirs = "pku.dinsos.alias-value", "pku.dinkes.pasien.v1-value"
    schema = {"schema": record(A, name="alias")}
    before = registry.ask("GET", "/subjects/%s/versions" % theirs, token=token["admin"])[1]
    assert registry.ask("PUT", "/config/" + mine, {"alias": theirs, "compatibility": "NONE"}, **ME)[0] == 200
    try:
        for method, path, body in (("GET", "/subjects/%s/versions", None), ("GET", "/subjects/%s/versions/latest", None),
                                   ("POST", "/subjects/%s", schema), ("POST", "/subjects/%s/versions", schema),
                                   ("DELETE", "/subjects/%s", None), ("GET", "/v1/subjects/%s/uses", None)):
            message = forbidden(registry.ask(method, path % mine, body, **ME))
            assert theirs not in message, "nor do they learn what it means"
        # who may go there, and not through a name that is not theirs
        forbidden(registry.ask("GET", "/subjects/%s/versions" % mine, token=token["dinkes"]))
        assert registry.ask("GET", "/subjects/%s/versions" % mine, token=token["admin"])[1] == before
    finally:
        assert registry.ask("DELETE", "/config/" + mine, **ME)[0] == 200


def test_an_alias_that_appears_after_the_look_leads_nowhere(registry, token):
    """A change waits between the look at rights and its turn; another of theirs may then have set an alias."""
    mine, theirs = "pku.dinsos.lari-value", "pku.dinkes.pasien.v1-value"
    before = registry.ask("GET", "/subjects/%s/versions" % theirs, token=token["admin"])[1]

    def register(i):
        body = {"schema": record(A, {"name": "f%d" % i, "type": "int"}, name="lari")}
        return registry.ask("POST", "/subjects/%s/versions" % mine, body, **ME)[0]

    def alias(i):
        path = "/config/" + mine
        return registry.ask("PUT", path, {"alias": theirs if i % 2 else "", "compatibility": "NONE"}, **ME)[0]
    assert alias(0) == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: (alias if i % 2 else register)(i // 2), range(120)))
    assert set(done) <= {200, 403} and 200 in done
    assert registry.ask("GET", "/subjects/%s/versions" % theirs, token=token["admin"])[1] == before
    assert registry.ask("DELETE", "/config/" + mine, **ME)[0] == 200


def test_a_name_without_a_context_finds_nothing_in_one_that_they_may_not_see(registry, token):
    hidden = ":.rahasia:pku.dinsos.tersembunyi-value"
    assert registry.ask("POST", "/subjects/%s/versions" % hidden, {"schema": record(A, name="tersembunyi")},
                        token=token["admin"])[0] == 200
    for path in ("/subjects/pku.dinsos.tersembunyi-value/versions/1", "/subjects/pku.dinsos.tersembunyi-value/versions",
                 "/subjects/pku.dinsos.tersembunyi-value/versions/latest/schema"):
        assert registry.ask("GET", path, **ME)[0] == 404, path
    assert registry.ask("POST", "/subjects/pku.dinsos.tersembunyi-value", {"schema": record(A, name="tersembunyi")},
                        **ME)[0] == 404
    for path in ("/subjects/%s/versions" % hidden, "/contexts/.rahasia/subjects/pku.dinsos.tersembunyi-value/versions"):
        forbidden(registry.ask("GET", path, **ME))
    assert ".rahasia" not in registry.ask("GET", "/contexts", **ME)[1]
    assert registry.ask("GET", "/contexts/.rahasia/subjects", **ME)[1] == []
    assert registry.ask("GET", "/subjects?subjectPrefix=:.rahasia:", **ME)[1] == []


@pytest.mark.parametrize("path", ["/config", "/config/:.:", "/config/:.__GLOBAL:", "/config/:.__GLOBAL:x",
                                  "/contexts/.__GLOBAL/config/x", "/contexts/:.__GLOBAL:/config", "/contexts/.uji/config/:.:",
                                  "/contexts/.__GLOBAL/config", "/contexts/./config", "/mode/:.:", "/mode",
                                  "/contexts/.__GLOBAL/mode/x"])
def test_what_holds_for_everything_is_an_admins(registry, token, path):
    body = {"mode": "READONLY"} if "mode" in path else {"compatibility": "NONE"}
    for method in ("PUT", "DELETE"):
        assert registry.ask(method, path, body, token=token["lebar"])[0] in (403, 404, 405), (method, path)
    assert registry.ask("GET", "/mode", token=token["admin"])[1]["mode"] == "READWRITE"


def test_pipelined_requests_are_looked_at_one_by_one(registry, token):
    def request(path, secret):
        line = b"Authorization: Bearer %s\r\n" % secret.encode() if secret else b""
        return b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path.encode(), line)
    theirs = "/subjects/pku.dinsos.contoh.v1-value/versions"
    got = registry.raw(request(theirs, token["admin"]) + request(theirs, None) + request(theirs, token["dinkes"]) +
                       request(theirs, token["admin"])[:-2] + b"Connection: close\r\n\r\n")
    assert [int(part.split()[0]) for part in got.split(b"HTTP/1.1 ")[1:]] == [200, 401, 403, 200]


# --- guessing ---------------------------------------------------------------------------------------------

def test_a_name_that_is_not_there_costs_the_same_time(registry):
    def work():
        """Nanoseconds that all threads of the registry have computed: a busy machine does not blur it."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path("/proc/%d/task" % registry.process.pid).iterdir())

    def cost(name, n):
        begun = work()
        status = registry.ask("GET", "/subjects", user=name, password="salah-%d" % n)[0]
        assert status in (401, 429)
        return work() - begun, status
    there, away = [], []
    for n in range(3):
        for name, times in (("dinsos", there), ("tidakada", away)):
            spent, status = cost(name, n)
            if status == 401:
                times.append(spent)
    if there and away:  # the limit may have been reached by the tests before
        assert 0.3 < statistics.median(there) / statistics.median(away) < 3


def test_guessing_is_slowed_down_and_logins_that_work_go_on(registry, token):
    assert registry.ask("GET", "/subjects", user="dinsos", password=PASSWORD)[0] == 200
    answers = [registry.ask("GET", "/subjects", user="dinkes", password="tebak-%d" % i) for i in range(12)]
    assert answers[-1][0] == 429 and answers[-1][2]["Retry-After"] == "60"
    begun = time.monotonic()
    for _ in range(20):
        assert registry.ask("GET", "/subjects", user="dinsos", password=PASSWORD)[0] == 200
        assert registry.ask("GET", "/subjects", token=token["dinkes"])[0] == 200
        assert registry.ask("GET", "/subjects", certificate="dinsos")[0] == 200
    assert time.monotonic() - begun < 30, "less than what a guesser waits"


# --- operating --------------------------------------------------------------------------------------------

def test_rights_and_certificates_change_while_it_runs(registry, folder, token, pki):
    def reload():
        before = registry.log().count("id=registry.reload")
        registry.process.send_signal(signal.SIGHUP)
        wait_for(lambda: registry.log().count("id=registry.reload") > before, 10, "a word about the reload")
    policy = folder / "policy.yaml"
    forbidden(registry.ask("GET", "/subjects/pku.dinsos.contoh.v1-value/versions", token=token["dinkes"]))
    try:
        policy.write_text(POLICY.replace("dinkes: {", 'dinkes: { read: ["pku.dinsos.*"],'))
        reload()
        assert registry.ask("GET", "/subjects/pku.dinsos.contoh.v1-value/versions", token=token["dinkes"])[0] == 200
        policy.write_text("users: {")
        reload()
        assert "reload_failed" in registry.log()
        assert registry.ask("GET", "/subjects/pku.dinsos.contoh.v1-value/versions", token=token["dinkes"])[0] == 200
    finally:
        policy.write_text(POLICY)
    reload()
    forbidden(registry.ask("GET", "/subjects/pku.dinsos.contoh.v1-value/versions", token=token["dinkes"]))


def test_the_log_says_who_changed_what_and_no_secret(registry, token):
    subject = "pku.dinsos.audit.v1-value"
    for i in range(40):  # more than the log's limit for repeats
        status, _, _ = registry.ask("PUT", "/config/" + subject, {"compatibility": ("FULL", "NONE")[i % 2]},
                                    certificate="dinsos")
        assert status == 200
    assert registry.ask("POST", "/subjects/pku.dinkes.x-value/versions", {"schema": '"int"'}, certificate="dinsos")[0] == 403
    log = registry.log()
    lines = [line for line in log.splitlines() if "level=audit" in line and subject in line]
    assert len(lines) == 40
    assert "user=dinsos via=certificate address=127.0.0.1 method=PUT route=/config/{subject}" in lines[0]
    assert "id=registry.denied user=dinsos" in log
    for secret in (PASSWORD, base64.b64encode(("dinsos:" + PASSWORD).encode()).decode(),
                   *(t[12:] for t in token.values())):
        assert secret not in log


def test_nodes_tell_each_other_who_asked(kafka, folder, token, pki):  # noqa: F811
    key = folder / "node.key"
    if not key.exists():
        subprocess.run([BIN / "titian", "key", "new", key], check=True, stdout=subprocess.DEVNULL)
    topic = "_schemas_nodes_%d_%d" % (os.getpid(), time.time())
    options = {"access.node_key": key, "nodes.ca": pki / "ca.pem"}
    nodes = [Registry(kafka, topic, folder, pki, **options).start() for _ in range(2)]
    try:
        def follower():
            for n in nodes:
                health = n.ask("GET", "/_health")[1]
                if not health["status"]["schema_registry_is_primary"] and health["status"].get("schema_registry_primary_url"):
                    return n
            return None
        f = wait_for(follower, 30, "one of two follows")
        w = nodes[1 - nodes.index(f)]
        for way in ({"certificate": "dinsos"}, {"user": "dinsos", "password": PASSWORD}):
            name = "pku.dinsos.%s-value" % list(way)[0]
            assert f.ask("POST", "/subjects/%s/versions" % name, {"schema": record(A)}, **way)[0] == 200
            assert f.ask("GET", "/subjects/%s/versions/1" % name, **way)[0] == 200
            assert any("user=dinsos via=node" in line and name in line for line in w.log().splitlines() if "level=audit" in line)
        forbidden(f.ask("POST", "/subjects/pku.dinkes.a-value/versions", {"schema": record(A)}, certificate="dinsos"))
        assert PASSWORD not in f.log() + w.log()
    finally:
        for n in nodes:
            n.stop()


class Thief(http.server.BaseHTTPRequestHandler):
    """Says on the nodes' topic that he is the writer, and keeps what comes."""
    seen = []

    def do_POST(self):
        self.seen.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"<a>")

    def log_message(self, *_):
        pass


@pytest.fixture
def thief():
    Thief.seen.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Thief)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def claims(kafka, topic, url):  # noqa: F811
    """A claim to a new term again and again, until the end."""
    producer, done = Producer({"bootstrap.servers": kafka, "linger.ms": 0}), threading.Event()

    def go_on():
        term = 1000
        while not done.wait(0.1):
            term += 1
            producer.produce(topic, key=url, value=json.dumps(
                {"node": url + " aaaaaa", "url": url, "term": term, "state": "writer"}))
            producer.flush(5)
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("guard", ["no policy", "no node key", "node key"])
def test_who_says_he_is_the_writer_learns_no_secret(kafka, folder, token, pki, thief, guard):  # noqa: F811
    topic = "_schemas_thief_%d_%d" % (os.getpid(), time.time_ns())
    options = {"access.policy": "", "access.users": ""} if guard == "no policy" else {}
    if guard == "node key":
        options["access.node_key"] = folder / "thief.key"
        subprocess.run([BIN / "titian", "key", "new", folder / "thief.key"], check=True, stdout=subprocess.DEVNULL)
    r = Registry(kafka, topic, folder, pki, **options).start()

    def post():
        return r.ask("POST", "/subjects/pku.dinsos.pencuri-value/versions", {"schema": record(A)},
                     user="dinsos", password=PASSWORD)
    try:
        wait_for(lambda: post()[0] == 200, 30, "the node writes")
        with claims(kafka, topic + "_nodes", thief):
            if guard == "node key":
                wait_for(lambda: "registry.strange_beat" in r.log(), 30, "the node has read a claim")
                assert post()[0] == 200
            else:
                words = "access.node_key" if guard == "no node key" else "not a registry's"

                def passed_on():  # between two claims it may have no other answer than that nobody writes
                    status, answer, _ = post()
                    said = json.dumps(answer)
                    return status == 500 and "50003" in said and words in said
                wait_for(passed_on, 30, "the node passes it on")
        wait_for(lambda: post()[0] == 200, 30, "the node writes again")
    finally:
        r.stop()
    assert len(Thief.seen) > 0 if guard == "no policy" else not Thief.seen
    assert not any("authorization" in headers.lower() for headers in Thief.seen)


def test_remembered_logins_are_fast(registry):
    """A hundred clients at once with a password: only the first of them waits for the slow hash."""
    def many(_):
        auth = base64.b64encode(("dinsos:" + PASSWORD).encode()).decode()
        c = registry.connection()
        for _ in range(20):
            c.request("GET", "/subjects/pku.dinsos.contoh.v1-value/versions", headers={"Authorization": "Basic " + auth})
            answer = c.getresponse()
            answer.read()
            assert answer.status == 200
        c.close()
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(many, range(100)))
    assert time.monotonic() - begun < 30


# --- keys for field encryption ----------------------------------------------------------------------------

def test_keks_are_an_admins_and_deks_their_subjects(registry, token):
    def ask(method, path, body=None, who="dinsos"):
        login = {"user": "dinsos", "password": PASSWORD} if who == "dinsos" else {"token": token[who]}
        status, answer, _ = registry.ask(method, "/dek-registry/v1/keks" + path, body, **login)
        return status, answer

    def material(text, **more):
        return {"encryptedKeyMaterial": text, **more}

    kek = {"name": "kek_hak", "kmsType": "t", "kmsKeyId": "i"}
    assert ask("POST", "", kek)[0] == 403
    assert ask("POST", "", kek, "admin")[0] == 200
    assert ask("PUT", "/kek_hak", {"doc": "d"})[0] == ask("DELETE", "/kek_hak")[0] == 403
    assert ask("GET", "/kek_hak")[1]["kmsKeyId"] == "i"
    own, other = "/kek_hak/deks/pku.dinsos.k-value", "/kek_hak/deks/pku.dinkes.k-value"
    assert ask("POST", own, material("cmFoYXNpYQ=="))[0] == 200
    assert ask("POST", other, material("cmFoYXNpYQ=="))[0] == 403
    assert ask("POST", "/kek_hak/deks", material("YQ==", subject="pku.dinkes.k-value"))[1]["error_code"] == 40301
    assert ask("POST", other, material("cmFoYXNpYQ=="), "dinkes")[0] == 200
    for path in (other, other + "/versions", other + "/versions/1"):
        assert ask("GET", path)[0] == 403
    assert ask("GET", "/kek_hak/deks") == (200, ["pku.dinsos.k-value"])
    assert ask("GET", "?subjectPrefix=pku.dinkes") == (200, [])
    assert ask("GET", "?subjectPrefix=pku.dinkes", None, "dinkes") == (200, ["kek_hak"])
    assert ask("DELETE", own, None, "dinkes")[0] == 403
    assert ask("DELETE", own)[0] == 204
    changes = [line for line in registry.log().splitlines() if "level=audit" in line and "kek=kek_hak" in line]
    assert any("method=DELETE" in line and "user=dinsos" in line for line in changes)
    assert "cmFoYXNpYQ" not in registry.log()
