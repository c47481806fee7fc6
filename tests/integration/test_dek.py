"""Keys for field encryption (/dek-registry/v1). Shapes, codes and messages: Confluent's dek-registry (DekRegistryResource,
DekRegistryErrors, AbstractDekRegistry, RestApiTest); records: its serializers; and its own Python client, which encrypts
fields with a KMS of its own and keeps the keys here."""
import concurrent.futures
import json
import os
import signal
import time
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekAlgorithm, DekRegistryClient
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext
from test_registry import Registry, kafka, refused  # noqa: F401

KEKS = "/dek-registry/v1/keks"
SECRET = "c2VjcmV0LW1hdGVyaWFs"


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):  # noqa: F811
    r = Registry(kafka, "_schemas_dek_%d_%d" % (os.getpid(), time.time()), tmp_path_factory.mktemp("dek")).start()
    yield r
    if r.process.poll() is None:
        assert r.kill(signal.SIGTERM) == 0


@pytest.fixture
def kek(registry):
    """A KEK of the test's own."""
    name = "kek_" + uuid.uuid4().hex[:8]
    assert made(registry, name)[0] == 200
    return name


def made(registry, name, **more):
    return registry.ask("POST", KEKS, {"name": name, "kmsType": "test-kms", "kmsKeyId": "mykey", **more})


def dek(registry, kek, subject, **more):
    return registry.ask("POST", "%s/%s/deks/%s" % (KEKS, kek, subject), {"encryptedKeyMaterial": SECRET, **more})


def records(registry):
    """What the topic holds, as Confluent's registry would read it: the last value of each key."""
    topic = registry.topic + "_keys"
    c = Consumer({"bootstrap.servers": registry.bootstrap, "group.id": "t", "isolation.level": "read_committed"})
    at = TopicPartition(topic, 0, 0)
    end = c.get_watermark_offsets(at)[1]
    c.assign([at])
    table = {}
    while c.position([at])[0].offset < end:
        message = c.poll(1)
        if message and not message.error():
            table[message.key().decode()] = message.value() and json.loads(message.value())
    c.close()
    return table


def test_a_kek_is_kept_and_answered(registry):
    name = "kek_" + uuid.uuid4().hex[:8]
    before = int(time.time() * 1000)
    status, body = made(registry, name, kmsProps={"b": "2", "a": "1"}, doc="for people")
    assert status == 200 and before <= body.pop("ts") <= time.time() * 1000
    assert body == {"name": name, "kmsType": "test-kms", "kmsKeyId": "mykey", "kmsProps": {"a": "1", "b": "2"},
                    "doc": "for people", "shared": False}
    status, again = registry.get("%s/%s" % (KEKS, name))
    assert status == 200 and again.pop("ts") and again == body
    assert name in registry.get(KEKS)[1]
    assert refused(40971, made(registry, name)) == "Key '%s' already exists; use a different value" % name


@pytest.mark.parametrize("kind, key, kept", [("aws-kms", "arn:aws:kms:x", "aws-kms"), ("AWSx", "any", "aws-kms"),
                                             ("hcvault", "http://v/k", "hcvault"), ("gcp-kms", "projects/p", "gcp-kms")])
def test_kms_types_are_put_right(registry, kind, key, kept):
    status, body = made(registry, "kek_" + uuid.uuid4().hex[:8], kmsType=kind, kmsKeyId=key)
    assert (status, body["kmsType"]) == (200, kept)


@pytest.mark.parametrize("change, field", [
    ({"name": ""}, "name"), ({"name": "1a"}, "name"), ({"name": "a.b"}, "name"), ({"name": "a" * 257}, "name"),
    ({"kmsKeyId": ""}, "kmsKeyId"), ({"kmsType": None}, "kmsType"),
    ({"kmsType": "aws-kms"}, "kmsKeyId"), ({"kmsType": "azure-kms"}, "kmsKeyId"), ({"kmsType": "hcvault"}, "kmsKeyId")])
def test_what_is_no_kek(registry, change, field):
    body = {"name": "kek_x", "kmsType": "test-kms", "kmsKeyId": "k", **change}
    assert refused(42271, registry.ask("POST", KEKS, body)) == "Invalid or missing value for field '%s' of key" % field


def test_only_props_doc_and_shared_of_a_kek_change(registry, kek):
    path = "%s/%s" % (KEKS, kek)
    status, body = registry.ask("PUT", path, {"doc": "d", "kmsProps": {"p": "q"}, "kmsKeyId": "other"})
    assert status == 200 and (body["doc"], body["kmsProps"], body["kmsKeyId"]) == ("d", {"p": "q"}, "mykey")
    assert registry.ask("PUT", path, {"doc": "d"}) == (200, body)  # nothing new: the same, and its time
    status, body = registry.ask("PUT", path, {"doc": None})
    assert status == 200 and "doc" not in body and body["kmsProps"] == {"p": "q"}
    assert refused(40470, registry.ask("PUT", KEKS + "/nobody", {})) == "Key 'nobody' not found"


def test_a_dek_has_versions_by_algorithm(registry, kek):
    status, body = dek(registry, kek, "s")
    assert status == 200 and body.pop("ts")
    assert body == {"kekName": kek, "subject": "s", "version": 1, "algorithm": "AES256_GCM", "encryptedKeyMaterial": SECRET}
    assert dek(registry, kek, "s", version=2)[0] == 200
    assert dek(registry, kek, "s", algorithm="AES256_SIV", version=7)[0] == 200
    path = "%s/%s/deks/s" % (KEKS, kek)
    assert registry.get(path)[1]["version"] == 1
    assert registry.get(path + "/versions") == (200, [1, 2])
    assert registry.get(path + "/versions?offset=1&limit=1") == (200, [2])
    assert registry.get(path + "/versions?algorithm=AES256_SIV") == (200, [7])
    assert registry.get(path + "/versions/latest")[1]["version"] == 2
    assert registry.get(path + "/versions/-1?algorithm=AES256_SIV")[1]["algorithm"] == "AES256_SIV"
    assert refused(40470, registry.get(path + "/versions/3")) == "Key 's' not found"
    assert refused(40470, registry.get(path + "?algorithm=AES128_GCM")) == "Key 's' not found"
    refused(42202, registry.get(path + "/versions/0"))
    assert registry.get(path + "?algorithm=ROT13")[0] == 404
    assert refused(40470, dek(registry, "nobody", "s")) == "Key 'nobody' not found"
    assert registry.get("%s/%s/deks" % (KEKS, kek)) == (200, ["s"])
    # the older form, with the subject in the body
    assert registry.ask("POST", "%s/%s/deks" % (KEKS, kek), {"subject": "t", "encryptedKeyMaterial": SECRET})[0] == 200
    assert registry.get("%s/%s/deks" % (KEKS, kek)) == (200, ["s", "t"])


def test_a_dek_is_written_once_but_may_be_rewrapped(registry, kek):
    assert dek(registry, kek, "s")[0] == 200
    assert refused(40971, dek(registry, kek, "s")) == "Key 's' already exists; use a different value"
    assert refused(40971, dek(registry, kek, "s", encryptedKeyMaterial="b3RoZXI="))
    status, body = registry.ask("POST", "%s/%s/deks/s?rewrap=true" % (KEKS, kek), {"encryptedKeyMaterial": "b3RoZXI="})
    assert (status, body["encryptedKeyMaterial"]) == (200, "b3RoZXI=")
    field = "Invalid or missing value for field '%s' of key"
    assert refused(42271, registry.ask("POST", "%s/%s/deks/t" % (KEKS, kek), {})) == field % "encryptedKeyMaterial"
    assert refused(42271, registry.ask("POST", "%s/%s/deks" % (KEKS, kek), {"encryptedKeyMaterial": SECRET})) == field % "subject"


def test_keks_are_deleted_softly_first_and_never_with_deks(registry, kek):
    path = "%s/%s" % (KEKS, kek)
    assert dek(registry, kek, "s")[0] == 200
    assert refused(42272, registry.ask("DELETE", path)) == "One or more references exist to the key '%s'" % kek
    assert registry.ask("DELETE", path + "/deks/s") == (204, "")
    assert refused(40470, registry.get(path + "/deks/s"))
    assert registry.get(path + "/deks/s?deleted=true")[1]["deleted"] is True
    refused(42272, registry.ask("DELETE", path + "?permanent=true"))
    assert registry.ask("DELETE", path) == (204, "")
    assert kek not in registry.get(KEKS)[1] and kek in registry.get(KEKS + "?deleted=true")[1]
    assert refused(40472, registry.ask("POST", path + "/deks/s/undelete")) == "Key '%s' must be undeleted first" % kek
    assert registry.ask("POST", path + "/undelete") == (204, "")
    assert registry.ask("POST", path + "/deks/s/versions/1/undelete") == (204, "")
    assert registry.get(path + "/deks/s")[0] == 200
    gone = "Key '%s' was not deleted first before being permanently deleted"
    assert refused(40471, registry.ask("DELETE", path + "/deks/s/versions/1?permanent=true")) == gone % "s"
    for where in ("/deks/s/versions/1", "/deks/s?permanent=true"):
        assert registry.ask("DELETE", path + where) == (204, "")
    assert refused(40471, registry.ask("DELETE", path + "?permanent=true")) == gone % kek
    assert registry.ask("DELETE", path) == (204, "")
    assert registry.ask("DELETE", path + "?permanent=true") == (204, "")
    assert refused(40470, registry.ask("DELETE", path)) == "Key '%s' not found" % kek


def test_creating_again_undeletes(registry, kek):
    dek(registry, kek, "s")
    registry.ask("DELETE", "%s/%s/deks/s" % (KEKS, kek))
    assert refused(40971, dek(registry, kek, "s", encryptedKeyMaterial="b3RoZXI="))
    assert "deleted" not in dek(registry, kek, "s")[1]
    registry.ask("DELETE", "%s/%s/deks/s" % (KEKS, kek))
    registry.ask("DELETE", "%s/%s" % (KEKS, kek))
    assert refused(40971, made(registry, kek, kmsKeyId="another"))
    status, body = made(registry, kek)
    assert status == 200 and "deleted" not in body


def test_a_list_by_the_subjects_of_deks(registry):
    one, two, prefix = ("kek_" + uuid.uuid4().hex[:8] for _ in range(3))
    for name, subject in ((one, prefix + "a"), (two, prefix + "b"), (two, prefix + "c")):
        made(registry, name)
        dek(registry, name, subject)
    assert registry.get("%s?subjectPrefix=%s" % (KEKS, prefix)) == (200, sorted([one, two]))
    assert registry.get("%s?subjectPrefix=%sa&subjectPrefix=none" % (KEKS, prefix)) == (200, [one])
    assert registry.get(KEKS + "?subjectPrefix=none") == (200, [])


def test_a_subject_of_a_context_and_one_with_an_alias(registry, kek):
    assert registry.ask("POST", "/contexts/.c/%s/%s/deks/s" % (KEKS.lstrip("/"), kek),
                        {"encryptedKeyMaterial": SECRET})[1]["subject"] == ":.c:s"
    assert registry.get("%s/%s/deks" % (KEKS, kek)) == (200, [":.c:s"])
    assert registry.ask("PUT", "/config/old", {"alias": "elsewhere", "aliasForDeks": "new"})[0] == 200
    assert dek(registry, kek, "old")[1]["subject"] == "new"
    assert registry.get("%s/%s/deks/old" % (KEKS, kek))[1]["subject"] == "new"


def test_what_needs_a_kms_is_refused(registry, kek):
    shared = made(registry, "kek_shared", shared=True)
    assert "Could not generate encrypted dek for kek_shared: this registry has no KMS" in refused(50070, shared)
    refused(40470, registry.get(KEKS + "/kek_shared"))
    refused(50070, registry.ask("PUT", "%s/%s" % (KEKS, kek), {"shared": True}))
    assert refused(42271, registry.ask("POST", "%s/%s/test" % (KEKS, kek))).endswith("'shared' of key")
    refused(40470, registry.ask("POST", KEKS + "/nobody/test"))


def test_the_topic_is_confluents(registry, kek):
    """Keys byte for byte as its serializer (Jackson) writes them: else compaction would keep two."""
    dek(registry, kek, "a%3Cb%26%C3%BC")
    table = records(registry)
    assert table['{"tenant":"default","name":"%s","type":"KEK"}' % kek] == {
        "name": kek, "kmsType": "test-kms", "kmsKeyId": "mykey", "kmsProps": {}, "shared": False, "deleted": False, "type": "KEK"}
    key = '{"tenant":"default","kekName":"%s","subject":"a<b&\u00fc","algorithm":"AES256_GCM","version":1,"type":"DEK"}' % kek
    assert table[key] == {"kekName": kek, "subject": "a<b&\u00fc", "algorithm": "AES256_GCM", "version": 1,
                          "encryptedKeyMaterial": SECRET, "deleted": False, "type": "DEK"}


def test_confluents_records_are_taken_over(registry):
    """As another registry left them: a KEK that is shared, members in another order, one that says nothing."""
    name = "kek_" + uuid.uuid4().hex[:8]
    p = Producer({"bootstrap.servers": registry.bootstrap})
    value = {"name": name, "kmsType": "aws-kms", "kmsKeyId": "arn:aws:kms:k", "kmsProps": {}, "doc": "d", "shared": True,
             "deleted": False, "type": "KEK", "offset": 4, "ts": 5}
    topic = registry.topic + "_keys"

    def told(err, message):
        assert not err, err

    ids = ('{"tenant":"default","name":"%s","type":"KEK"}' % name,
           '{"version":1,"algorithm":"AES128_GCM","type":"DEK","tenant":"default","kekName":"%s","subject":"s"}' % name)
    for key, value in (("x", "not json"), (ids[0], json.dumps(value)), (ids[1], json.dumps({"encryptedKeyMaterial": SECRET}))):
        p.produce(topic, key=key, value=value, timestamp=1234, on_delivery=told)
    assert p.flush(20) == 0
    end = time.monotonic() + 20
    while registry.get("%s/%s/deks" % (KEKS, name)) != (200, ["s"]):
        assert time.monotonic() < end
        time.sleep(0.02)
    status, body = registry.get("%s/%s" % (KEKS, name))
    assert status == 200 and body == {"name": name, "kmsType": "aws-kms", "kmsKeyId": "arn:aws:kms:k", "kmsProps": {},
                                      "doc": "d", "shared": True, "ts": 1234}
    assert "raw dek for s" in refused(50070, registry.get("%s/%s/deks/s?algorithm=AES128_GCM" % (KEKS, name)))
    refused(50070, dek(registry, name, "t"))
    refused(50070, registry.ask("POST", "%s/%s/test" % (KEKS, name)))
    assert registry.ask("PUT", "%s/%s" % (KEKS, name), {"shared": False})[0] == 200
    assert registry.get("%s/%s/deks/s?algorithm=AES128_GCM" % (KEKS, name))[0] == 200


def test_many_at_once_make_one_version(registry, kek):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: dek(registry, kek, "s", encryptedKeyMaterial="bTAw%02d" % i)[0], range(24)))
        schemas = list(pool.map(lambda i: registry.register("many%d" % (i % 3), '"string"')[0] if i % 2 else
                                dek(registry, kek, "t%d" % i)[0], range(24)))
    assert sorted(answers) == [200] + [409] * 23
    assert schemas == [200] * 24


def test_keys_outlive_the_registry_and_stay_secret(registry, kek):
    dek(registry, kek, "s")
    registry.kill()
    registry.start()
    assert registry.get("%s/%s/deks/s" % (KEKS, kek))[1]["encryptedKeyMaterial"] == SECRET
    assert SECRET not in (registry.folder / "registry.log").read_text()
    assert SECRET not in registry.get("/metrics")[1] and SECRET not in json.dumps(registry.get("/v1/changes")[1])


# --- Confluent's own client ---------------------------------------------------------------------------------

def test_confluents_client_keeps_its_keys(registry):
    client = DekRegistryClient({"url": registry.url})
    name = "kek_" + uuid.uuid4().hex[:8]
    made_kek = client.register_kek(name, "local-kms", "mykey")
    assert made_kek.name == name and client.get_kek(name).kms_key_id == "mykey"
    made_dek = client.register_dek(name, "s-value", SECRET, DekAlgorithm.AES256_SIV)
    assert made_dek.version == 1
    got = DekRegistryClient({"url": registry.url}).get_dek(name, "s-value", DekAlgorithm.AES256_SIV)
    assert got.encrypted_key_material == SECRET and got.algorithm == DekAlgorithm.AES256_SIV


@pytest.mark.parametrize("algorithm, expiry", [("AES256_GCM", None), ("AES128_GCM", None), ("AES256_SIV", None), ("AES256_GCM", "1")])
def test_fields_are_encrypted_with_keys_kept_here(registry, algorithm, expiry):
    """Confluent's serializers: a tagged field leaves encrypted, and another process's reader decrypts it."""
    def rules():  # each knows its own KEKs and DEKs only from the registry
        registered = RuleRegistry()
        registered.register_executor(FieldEncryptionExecutor())
        return {"rule_conf": {"secret": "mysecret"}, "rule_registry": registered}

    LocalKmsDriver.register()
    topic, name = "penduduk-" + uuid.uuid4().hex[:8], "kek_" + uuid.uuid4().hex[:8]
    params = {"encrypt.kek.name": name, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "mykey",
              "encrypt.dek.algorithm": algorithm, **({"encrypt.dek.expiry.days": expiry} if expiry else {})}
    rule = Rule("encrypt", "", RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams(params), None, None,
                "ERROR,NONE", False)
    text = json.dumps({"type": "record", "name": "P", "fields": [
        {"name": "kode", "type": "string"}, {"name": "nama", "type": "string", "confluent:tags": ["PII"]}]})
    client = SchemaRegistryClient({"url": registry.url})
    client.register_schema(topic + "-value", Schema(text, "AVRO", [], None, RuleSet(None, [rule])))
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    context = SerializationContext(topic, MessageField.VALUE)
    data = AvroSerializer(client, conf=conf, **rules())({"kode": "1471", "nama": "Siti"}, context)
    assert b"1471" in data and b"Siti" not in data
    deks = registry.get("%s/%s/deks/%s-value?algorithm=%s" % (KEKS, name, topic, algorithm))
    assert deks[0] == 200 and deks[1]["version"] == 1 and deks[1]["encryptedKeyMaterial"]
    fresh = SchemaRegistryClient({"url": registry.url})
    assert AvroDeserializer(fresh, **rules())(data, context) == {"kode": "1471", "nama": "Siti"}
