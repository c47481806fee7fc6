"""`titian adapter test-connection`: what is missing is told, and the command or SQL that mends it is the one it says. A table that is
to be followed, on a real PostgreSQL; topics, schemas and rights, on a real Kafka."""
import os
import re
import shutil
import sys
import types

import pytest
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType

from conftest import ROOT, WORK, free_ports, wait_for
from own_adapter import BIN, OwnAdapter
from test_change import MAPPING, UNIT

sys.path.insert(0, str(ROOT / "tests/support"))
import stage  # noqa: E402
from postgres import Postgres  # noqa: E402


def test_what_a_server_lacks_for_following_is_told_with_its_remedy(apart):
    server = Postgres()
    try:
        server.sql("CREATE TABLE unit (kode text NOT NULL, nama text, jumlah bigint)")
        own = OwnAdapter(apart, "ujikoneksi", {"unit": UNIT}, {"unit.yaml": MAPPING % {
            "opd": "ujikoneksi", "remove_max": 10, "connection": "host=%s user=titian dbname=titian" % server.folder, "table": "unit",
            "publication": "titian", "key": "kode", "more": ""}})

        def ask():
            done = own.run(BIN / "titian", "adapter", "test-connection", "--config", own.conf, check=False)
            line = [i for i, text in enumerate(done.stdout.splitlines()) if "following the table of ujikoneksi_unit" in text]
            assert len(line) == 1, done.stdout + done.stderr
            return done.returncode, "\n".join(done.stdout.splitlines()[line[0]:line[0] + 2])

        def remedy(text):
            return re.search(r"remedy[^:]*: ([A-Z][^;]*;)", text).group(1)
        status, said = ask()
        assert status == 1 and said.startswith("GAGAL/FAILED") and "wal_level" in said
        server.sql(remedy(said), user="admin")
        server.kill()
        server.start()
        status, said = ask()
        assert status == 1 and "REPLICA IDENTITY FULL" in said
        server.sql(remedy(said))
        status, said = ask()
        assert status == 1 and "CREATE PUBLICATION" in said
        server.sql(remedy(said), user="admin")
        status, said = ask()
        assert status == 1 and "REPLICATION" in said
        server.sql(remedy(said).replace("<user>", "titian"), user="admin")
        status, said = ask()
        assert status == 0 and said.startswith("ok "), said
        assert server.sql("SELECT count(*) FROM pg_replication_slots", user="admin").strip() == "0"
    finally:
        server.stop()


BENDA = {"type": "record", "name": "Benda", "namespace": "id.go.uji.v1", "doc": "uji", "x_jenis": "register", "x_kunci": "kode", "fields": [
    {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"}]}
OF_FILES = """feed: %(opd)s_benda
files: ['*.csv']
topic: pku.%(opd)s.benda.v1
kind: register
source: {kind: delimited}
values: {kode: {from: kode, as: clean}}
key: kode
fields: {kode: kode}
"""


def ask(own):
    """(exit status, {name of a topic, schema ...: [its line, and what is said of it]}); nothing but these lines is said."""
    done = own.run(BIN / "titian", "adapter", "test-connection", "--config", own.conf, check=False)
    assert done.stderr == "", done.stderr
    said = {}
    for line in done.stdout.splitlines():
        if line[0] != " ":
            name = re.match(r"(?:ok|GAGAL/FAILED) +(?:topik / topic |skema / schema )?(\S+?):?(?: |$)", line)
            about = said.setdefault(name[1] if name else "", [])
        about.append(line)
    return done.returncode, said


def remedies(lines):
    return [command.split() for line in lines for command in re.findall(r"-> .*(titian (?:topic|schema) .*)", line)]


def test_a_kafka_that_is_away_is_one_line_and_no_more(apart):
    own = OwnAdapter(apart, "ujijauh", {"benda": BENDA}, {"benda.yaml": OF_FILES % {"opd": "ujijauh"}})
    text = own.conf.read_text()
    nobody = "127.0.0.1:%d" % free_ports(1)
    own.conf.write_text(text.replace(apart.bootstrap, nobody))
    status, said = ask(own)
    assert status == 1 and said["Kafka"][0] == "GAGAL/FAILED  Kafka " + nobody and "kafka.bootstrap" in said["Kafka"][-1]
    listed = own.run(BIN / "titian", "quarantine", "list", "--config", own.conf, check=False)
    assert listed.returncode == 1 and len(listed.stderr.splitlines()) == 2 and "test-connection --config %s" % own.conf in listed.stderr
    wordy = own.run(BIN / "titian", "adapter", "test-connection", "--config", own.conf, "--log-level", "debug", check=False)
    assert "kafka.log" in wordy.stderr


def test_the_status_topic_and_the_command_that_makes_it(apart):
    own = OwnAdapter(apart, "ujistatus", {"benda": BENDA}, {"benda.yaml": OF_FILES % {"opd": "ujistatus"}}, without=("adapter",))
    shutil.copy(ROOT / "schemas/avsc/bersama/adapter.avsc", own.dir / "avsc/bersama")
    topic = "pku.ujistatus.adapter.v1"
    status, said = ask(own)
    assert status == 1 and {name for name, lines in said.items() if lines[0].startswith("GAGAL")} == {topic, topic + "-value"}
    for about in (topic, topic + "-value"):
        (command,) = remedies(said[about])
        own.run(BIN / command[0], *[apart.registry if word == "URL" else word for word in command[1:]])
    status, said = ask(own)
    assert status == 0 and "may be written" in said[topic][0] and own.ends("adapter") == 0
    own.conf.write_text(own.conf.read_text() + "status: {every: 0s}\n")
    assert topic not in ask(own)[1]


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """A broker that knows rights. What nobody has been given by name everybody has."""
    java = tmp_path / "java"
    java.write_text("""#!/bin/sh
case "$*" in *" kafka.Kafka "*)
    set -- "$@" --override authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer \\
        --override allow.everyone.if.no.acl.found=true ;;
esac
exec %s "$@"
""" % shutil.which("java"))
    java.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:%s" % (tmp_path, os.environ["PATH"]))
    folder = stage.fresh(WORK / "guarded")
    with stage.kafka(folder) as bootstrap, stage.registry(folder, bootstrap) as url:
        yield types.SimpleNamespace(bootstrap=bootstrap, registry=url)


def test_a_right_to_write_that_is_lacking_is_told_and_nothing_is_written(guarded):
    own = OwnAdapter(guarded, "ujihak", {"benda": BENDA}, {"benda.yaml": OF_FILES % {"opd": "ujihak"}})
    admin = AdminClient({"bootstrap.servers": guarded.bootstrap})
    held = [AclBinding(ResourceType.TOPIC, "pku.ujihak.adapter.v1", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation,
                       AclPermissionType.ALLOW) for operation in (AclOperation.READ, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)]
    for done in admin.create_acls(held).values():
        done.result()

    def refused():
        said = ask(own)[1]
        return said if said["pku.ujihak.adapter.v1"][0].startswith("GAGAL") else None
    said = wait_for(refused, 20, "the broker to know the rights")
    assert any("WRITE" in line for line in said["pku.ujihak.adapter.v1"])
    for entity in ("benda", "berkas"):
        assert "may be written" in said["pku.ujihak.%s.v1" % entity][0] and own.ends(entity) == 0
    assert own.ends("adapter") == 0
