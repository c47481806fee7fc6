"""Webhooks: a real gateway, real Kafka, and a receiver over TLS that answers as badly as receivers do."""
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, free_ports, wait_for
from hook_stage import Gateway, Receiver, Town, fold, verify

SEED = int(os.environ.get("HOOKS_SEED", "20250110"))
KILLS = int(os.environ.get("HOOKS_KILLS", "2"))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", ROOT / "tests/support/pki.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def receiver(pki):
    r = Receiver(pki)
    yield r
    r.close()


@pytest.fixture(scope="module")
def stranger(pki):
    r = Receiver(pki, "stranger")
    yield r
    r.close()


@pytest.fixture(scope="module")
def plain(pki):
    r = Receiver(pki, None)
    yield r
    r.close()


@pytest.fixture(scope="module")
def town(bootstrap, registry_url):
    t = Town(bootstrap, registry_url, "kait")
    for i in range(20):
        t.put("k%02d" % i, "147101100%d" % (i % 2), "Warga %d" % i, i)
    t.remove("k19")
    t.flush()
    return t


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    return tmp_path_factory.mktemp("hosts") / "hosts"


@pytest.fixture(scope="module")
def gateway(town, receiver, stranger, plain, pki, hosts, tmp_path_factory):
    hosts.write_text("127.0.0.1 localhost\n")
    g = Gateway(tmp_path_factory.mktemp("gw") / "a", town,
                allow=["127.0.0.1/32", "http://localhost:%d" % plain.port], ports=[receiver.port, stranger.port],
                ca=str(pki / "ca.pem"), hosts=str(hosts), base="https://bus.uji")
    g.start()
    yield g
    g.stop()


def done(gateway, hook):
    """All there is has been delivered."""
    now = gateway.hook(hook)
    return now if now["behind"] == 0 and now["failures"] == 0 and now["state"] == "active" else None


def test_a_receiver_gets_the_view_and_then_each_change(gateway, receiver, town):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/satu")
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    got = receiver.got("/satu")
    assert len(got) == len(gateway.rows()) == len(town.rows)
    town.put("k03", n=303)
    town.remove("k04")
    town.put("baru", n=1)
    town.flush()
    wait_for(lambda: len(receiver.got("/satu")) == len(got) + 3, 20, "three changes")
    bodies = [verify(hook, r) for r in receiver.got("/satu")]
    assert fold(bodies) == gateway.rows() == town.rows
    heads = [r.headers for r in receiver.got("/satu")]
    assert len({h["webhook-id"] for h in heads}) == len(heads)
    sequences = [json.loads(b)["data"]["sequence"] for b in bodies]
    assert sequences == sorted(sequences) and len(set(sequences)) == len(sequences)
    # The cursor of a message is the feed's own.
    cursor = json.loads(bodies[-2])["data"]["cursor"]
    status, feed = gateway.ask("GET", "/v1/views/uji_angka/changes?after=" + cursor)
    assert status == 200 and [c["key"] for c in feed["changes"]] == [json.loads(bodies[-1])["data"]["key"]]


def test_hmac_verifies_with_the_stock_library_and_a_new_secret_overlaps(gateway, receiver, town):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/hmac", signature="hmac", max_batch=10)
    assert hook["keys"][0]["secret"].startswith("whsec_")
    assert "secret" not in gateway.hook(hook)["keys"][0]
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    before = receiver.got("/hmac")
    assert fold([verify(hook, r) for r in before]) == town.rows and len(before) == -(-len(town.rows) // 10)
    status, rotated = gateway.ask("PATCH", "/v1/webhooks/" + hook["id"], {"rotate": True, "overlap": 60})
    assert status == 200 and rotated["keys"][0]["secret"] != hook["keys"][0]["secret"] and len(rotated["keys"]) == 2
    town.put("k05", n=505)
    town.flush()
    wait_for(lambda: len(receiver.got("/hmac")) > len(before), 20, "a change")
    last = receiver.got("/hmac")[-1]
    verify(hook, last)
    verify(rotated, last)
    status, ended = gateway.ask("PATCH", "/v1/webhooks/" + hook["id"], {"rotate": True, "overlap": 0})
    assert status == 200 and len(ended["keys"]) == 1
    status, answer = gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])
    assert status == 200 and answer["status"] == 204, answer
    last = receiver.got("/hmac")[-1]
    assert json.loads(verify(ended, last))["type"] == "uji_angka.test"
    for old in (hook, rotated):
        with pytest.raises(Exception, match="No matching signature"):
            verify(old, last)


def test_a_message_is_tried_again_with_its_id_and_those_after_it_wait(gateway, receiver, town):
    def hang(handler):
        time.sleep(3)  # longer than the gateway waits
        return 0

    receiver.plan["/gagal"].extend([500, {"status": 429, "headers": {"Retry-After": "1"}}, hang, 404,
                                    {"status": 302, "headers": {"Location": "https://localhost:%d/gagal" % receiver.port}}])
    def slow_body(handler):  # its status came in time: that is an answer
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        time.sleep(3)  # longer than the gateway waits
        return 0

    receiver.plan["/lambat"].append(slow_body)
    slow = gateway.make(view="uji_angka", url=receiver.base + "/lambat", max_batch=100)
    hook = gateway.make(view="uji_angka", url=receiver.base + "/gagal", max_batch=5)
    wait_for(lambda: done(gateway, hook), 30, "the snapshot")
    wait_for(lambda: 0 in {r.status for r in receiver.got("/gagal", good=False)}, 20, "the one that hung to be over")
    tries = receiver.got("/gagal", good=False)[:6]
    assert [r.status for r in tries][:2] == [500, 429] and tries[5].status == 204
    assert len({r.headers["webhook-id"] for r in tries}) == 1, "one message, tried again"
    assert tries[2].at - tries[1].at >= 1.0, "Retry-After"
    assert fold([verify(hook, r) for r in receiver.got("/gagal")]) == town.rows
    status, attempts = gateway.ask("GET", "/v1/webhooks/%s/attempts" % hook["id"])
    assert status == 200 and [a["status"] for a in attempts[::-1]][:6] == [500, 429, 0, 404, 302, 204]
    assert attempts[::-1][2]["why"] == "no answer in time"
    assert not any("url" in a or "body" in a for a in attempts)
    wait_for(lambda: done(gateway, slow), 20, "the slow one")
    wait_for(lambda: receiver.got("/lambat", good=False), 20, "it to be over")
    assert [r.status for r in receiver.got("/lambat", good=False)] == [0], "once"
    assert gateway.ask("GET", "/v1/webhooks/%s/attempts" % slow["id"])[1][0]["status"] == 200


def test_gone_and_failing_receivers_are_suspended_and_lose_nothing(gateway, receiver, town):
    receiver.plan["/pergi"].append(410)
    receiver.plan["/rusak"].extend([500] * 100)
    gone = gateway.make(view="uji_angka", url=receiver.base + "/pergi")
    broken = gateway.make(view="uji_angka", url=receiver.base + "/rusak", **{"from": "now"})
    town.put("tunda", n=7)
    town.flush()
    wait_for(lambda: gateway.hook(gone)["state"] == "suspended", 20, "410")
    wait_for(lambda: gateway.hook(broken)["state"] == "suspended", 20, "giving up")
    assert gateway.hook(gone)["reason"] == "gone" and gateway.hook(broken)["reason"] == "failing"
    assert len(receiver.got("/pergi", good=False)) == 1
    assert 'id=hook.suspended webhook=%s reader=kawan view=uji_angka reason=gone' % gone["id"] in gateway.log()
    assert gateway.metric('titian_webhook_suspended_total{reason="failing"}') == 1
    receiver.plan["/rusak"].clear()
    for hook in (gone, broken):
        status, now = gateway.ask("PATCH", "/v1/webhooks/" + hook["id"], {"suspended": False})
        assert status == 200 and now["state"] == "active" and now["failures"] == 0
        wait_for(lambda: done(gateway, hook), 20, "the rest")
    assert fold([verify(gone, r) for r in receiver.got("/pergi")]) == town.rows
    assert fold([verify(broken, r) for r in receiver.got("/rusak")]) == {"tunda": town.rows["tunda"]}


def test_redrive_delivers_again_under_new_ids(gateway, receiver, town):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/ulang")
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    first = receiver.got("/ulang")
    middle = json.loads(first[9].body)["data"]["cursor"]
    status, _ = gateway.ask("POST", "/v1/webhooks/%s/redrive?from=%s" % (hook["id"], middle))
    assert status == 200
    wait_for(lambda: len(receiver.got("/ulang")) == 2 * len(first) - 10, 20, "the second half again")
    again = receiver.got("/ulang")[len(first):]
    keys = [[json.loads(r.body)["data"]["key"] for r in part] for part in (first[10:], again)]
    assert keys[0] == keys[1]
    assert not {r.headers["webhook-id"] for r in first} & {r.headers["webhook-id"] for r in again}
    status, _ = gateway.ask("POST", "/v1/webhooks/%s/redrive?from=0" % hook["id"])
    wait_for(lambda: len(receiver.got("/ulang")) == 3 * len(first) - 9, 20, "all again")
    bodies = [r.body for r in receiver.got("/ulang")[-len(first) - 1:]]
    assert json.loads(bodies[0])["type"] == "uji_angka.reset" and fold(bodies) == town.rows
    assert gateway.ask("POST", "/v1/webhooks/%s/redrive?from=AAAA" % hook["id"])[0] == 400
    count = len(receiver.got("/ulang"))
    for ahead in (3600, 0):  # an hour from now: nothing; this minute: at least the change that comes
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))
        status, _ = gateway.ask("POST", "/v1/webhooks/%s/redrive?from=%s" % (hook["id"], moment))
        assert status == 200
        town.put("k10", n=1000 + ahead)
        town.flush()
        wait_for(lambda: gateway.rows() == town.rows and done(gateway, hook), 20, "what came since")
        assert (len(receiver.got("/ulang")) == count + 1) if ahead else len(receiver.got("/ulang")) > count + 1
        assert json.loads(receiver.got("/ulang")[-1].body)["data"]["row"] == town.rows["k10"]


def test_personal_rows_are_named_not_sent_unless_granted_in_full(gateway, receiver):
    thin = gateway.make(view="uji_orang", url=receiver.base + "/tipis")
    full = gateway.make("penuh", view="uji_orang", url=receiver.base + "/penuh")
    plain = gateway.make(view="uji_orang", url=receiver.base + "/polos", select="id,kode_kel")
    for hook, reader in ((thin, "kawan"), (full, "penuh"), (plain, "kawan")):
        wait_for(lambda: gateway.hook(hook, reader)["behind"] == 0, 20, "the snapshot")
    rows = gateway.rows("uji_orang")
    for r in receiver.got("/tipis"):
        data = json.loads(verify(thin, r))["data"]
        assert "row" not in data and data["url"] == "https://bus.uji/v1/views/uji_orang/" + data["key"]
        assert b"Warga" not in r.body
        status, row = gateway.ask("GET", data["url"].removeprefix("https://bus.uji"))
        assert status == 200 and row == rows[data["key"]]
    assert fold([verify(full, r) for r in receiver.got("/penuh")]) == rows
    assert fold([verify(plain, r) for r in receiver.got("/polos")]) == {
        k: {"id": k, "kode_kel": r["kode_kel"]} for k, r in rows.items()}


def test_a_part_of_the_view_is_followed_and_rows_that_leave_it_are_withdrawn(gateway, receiver, town):
    mine = gateway.make(view="uji_angka", url=receiver.base + "/bagian", filter={"kode_kel": "eq.1471011000"})
    limited = gateway.make("sebagian", view="uji_angka", url=receiver.base + "/terbatas")

    def part(kel):
        return {k: r for k, r in town.rows.items() if r["kode_kel"] == kel}
    for step in range(2):
        for hook, reader, path, kel in ((mine, "kawan", "/bagian", "1471011000"),
                                        (limited, "sebagian", "/terbatas", "1471011001")):
            wait_for(lambda: fold([r.body for r in receiver.got(path)]) == part(kel), 20, path + " to hold its part")
            assert len(part(kel)) > 2
        town.put("k06", "1471011001", n=6)  # moves over
        town.put("k07", "1471011000", n=7)
        town.flush()
    assert gateway.ask("POST", "/v1/webhooks", {"view": "uji_angka", "url": receiver.base + "/x", "filter": {"n": "eq.1"}})[0] == 400


def test_another_readers_webhook_is_not_there(gateway, receiver):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/milik", **{"from": "now"})
    missing = gateway.ask("GET", "/v1/webhooks/wh_0000000000000000", reader="lain")
    for method, tail, body in (("GET", "", None), ("PATCH", "", {"suspended": True}), ("DELETE", "", None),
                               ("GET", "/attempts", None), ("POST", "/test", None), ("POST", "/redrive?from=0", None)):
        status, problem = gateway.ask(method, "/v1/webhooks/" + hook["id"] + tail, body, reader="lain")
        assert status == 404 and problem["code"] == missing[1]["code"] == "webhook-unknown"
    assert gateway.ask("GET", "/v1/webhooks", reader="lain") == (200, [])
    assert hook["id"] in [h["id"] for h in gateway.ask("GET", "/v1/webhooks")[1]]
    assert gateway.ask("DELETE", "/v1/webhooks/" + hook["id"])[0] == 204
    assert gateway.ask("GET", "/v1/webhooks/" + hook["id"])[0] == 404


@pytest.mark.parametrize("body, code", [
    ({"view": "tidak_ada"}, "view-unknown"), ({"view": "uji_angka", "url": "http://localhost/x"}, "url-refused"),
    ({"view": "uji_angka", "url": "https://10.0.0.1/x"}, "url-refused"),
    ({"view": "uji_angka", "url": "https://[::ffff:169.254.169.254]/x"}, "url-refused"),
    ({"view": "uji_angka", "url": "https://localhost:22/x"}, "url-refused"),
    ({"view": "uji_angka", "url": "file:///etc/passwd"}, "url-refused"),
    ({"view": "uji_angka"}, "parameter-invalid"), ({"url": "https://a.test/"}, "parameter-invalid"),
    ({"view": "uji_angka", "url": "https://a.test/", "formt": "standard"}, "parameter-invalid"),
    ({"view": "uji_angka", "url": "https://a.test/", "format": "xml"}, "parameter-invalid"),
    ({"view": "uji_angka", "url": "https://a.test/", "max_batch": 101}, "parameter-invalid"),
    ({"view": "uji_angka", "url": "https://a.test/", "from": "AAAA"}, "cursor-invalid"),
    ({"view": "uji_angka", "url": "https://a.test/", "select": "nama"}, "column-unknown"), ([], "parameter-invalid"),
])
def test_what_is_not_possible_is_refused_with_its_reason(gateway, body, code):
    status, problem = gateway.ask("POST", "/v1/webhooks", body)
    assert status in (400, 404) and problem["type"].endswith(code), problem


def test_a_name_that_comes_to_mean_another_address_is_not_connected_to(gateway, receiver, hosts):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/pindah", **{"from": "now"})
    assert gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])[1]["status"] == 204
    for addresses in (["127.0.0.2"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"], ["::1"], ["::ffff:127.0.0.1", "::1"]):
        hosts.write_text("".join("%s localhost\n" % a for a in addresses))
        status, answer = gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])
        assert (status, answer["status"], answer["why"]) == (200, 0, "the address is not allowed"), addresses
    hosts.write_text("127.0.0.1 localhost\n")
    assert gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])[1]["status"] == 204
    assert len(receiver.got("/pindah", good=False)) == 2


def test_a_certificate_of_an_unknown_signer_is_refused_and_plain_http_where_it_is_not_allowed(gateway, stranger, plain):
    hook = gateway.make(view="uji_angka", url=stranger.base + "/asing", **{"from": "now"})
    status, answer = gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])
    assert (status, answer["status"], answer["why"]) == (200, 0, "the certificate is not to be trusted")
    assert not stranger.got("/asing", good=False)
    hook = gateway.make(view="uji_angka", url=plain.base + "/terang", **{"from": "now"})
    assert gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])[1]["status"] == 204


def test_revoked_grants_suspend(gateway, receiver, town):
    hook = gateway.make("lain", view="uji_angka", url=receiver.base + "/cabut")
    wait_for(lambda: gateway.hook(hook, "lain")["behind"] == 0, 20, "the snapshot")
    policy = gateway.dir / "policy.yaml"
    text = policy.read_text()
    policy.write_text(text.replace("  lain:\n    views:\n      uji_angka: {}", "  lain:\n    views:\n      uji_orang: {}"))
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.ask("GET", "/v1/views/uji_angka", reader="lain")[0] == 404, 20, "the new policy")
    before = len(receiver.got("/cabut"))
    town.put("k08", n=8)
    town.flush()
    wait_for(lambda: gateway.hook(hook, "lain")["state"] == "suspended", 20, "the suspension")
    assert gateway.hook(hook, "lain")["reason"] == "not-granted" and len(receiver.got("/cabut")) == before
    policy.write_text(text)
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.ask("GET", "/v1/views/uji_angka", reader="lain")[0] == 200, 20, "the old policy")
    gateway.ask("PATCH", "/v1/webhooks/" + hook["id"], {"suspended": False}, reader="lain")
    wait_for(lambda: len(receiver.got("/cabut")) == before + 1, 20, "what it missed")


def test_a_revoked_key_ends_its_webhooks_until_another_key_resumes_them(gateway, receiver, town):
    bound = gateway.make("lain", view="uji_angka", url=receiver.base + "/lama")
    moved = gateway.make("lain", view="uji_angka", url=receiver.base + "/pindah")
    for hook in (bound, moved):
        wait_for(lambda: gateway.hook(hook, "lain")["behind"] == 0, 20, "the snapshot")
    file, old = gateway.dir / "access.keys", gateway.keys["lain"]
    gateway.keys["lain"] = gateway.new_key("lain")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.ask("GET", "/v1/whoami", reader="lain")[0] == 200, 20, "the new key")
    assert gateway.ask("PATCH", "/v1/webhooks/" + moved["id"], {"rate": 6000}, reader="lain")[0] == 200
    file.write_text("".join(l for l in file.read_text().splitlines(True) if " %s " % old[3:11] not in l))
    before = len(receiver.got("/lama"))
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.hook(bound, "lain")["state"] == "suspended", 20, "the suspension, with nothing to send")
    assert gateway.hook(bound, "lain")["reason"] == "key-revoked"
    town.put("k12", n=1212)
    town.flush()
    wait_for(lambda: b'"k12"' in receiver.got("/pindah")[-1].body and gateway.hook(moved, "lain")["behind"] == 0, 20,
             "the one that has the new key")
    assert len(receiver.got("/lama")) == before
    status, now = gateway.ask("PATCH", "/v1/webhooks/" + bound["id"], {"suspended": False}, reader="lain")
    assert status == 200 and now["state"] == "active"
    wait_for(lambda: len(receiver.got("/lama")) == before + 1, 20, "what it missed")


def test_the_command_line_does_all_of_it(gateway, receiver, tmp_path):
    (tmp_path / "key").write_text(gateway.keys["kawan"] + "\n")
    (tmp_path / "key").chmod(0o600)

    def titian(*words, code=0, says=""):
        run = subprocess.run([ROOT / "build/release/bin/titian", "webhook", *words], capture_output=True, text=True, timeout=60,
                             env=dict(os.environ, LANG="C", TITIAN_URL=gateway.url, TITIAN_KEY_FILE=str(tmp_path / "key")))
        assert run.returncode == code and says in run.stderr, run.stderr
        return [line.split("\t") for line in run.stdout.splitlines()]
    made = titian("create", "uji_angka", receiver.base + "/perintah", "--from", "now", "--filter", "kode_kel=in.(1471011000,1471011001)")
    id, key = made[0][0], made[1]
    assert key[0] == "public" and key[1].startswith("whpk_") and made[0][1:4] == ["uji_angka", "standard", "active"]
    assert titian("show", id)[0] == made[0] and made[0] in titian("list")
    assert titian("test", id)[0][0] == "204"
    receiver.plan["/perintah"].extend([401, 401, {"status": 0}])  # a test message that nobody took is no success
    assert titian("test", id, code=1, says="answers 401")[0][0] == "401"
    titian("test", id, "--json", code=1, says="answers 401")
    assert titian("test", id, code=6, says="not delivered: ")[0][0] == "0"
    assert titian("suspend", id)[0][3:5] == ["suspended", "asked"]
    assert titian("resume", id)[0][3] == "active"
    assert len(titian("rotate", id, "--overlap", "60")) == 4  # two keys, and when one of them ends
    assert titian("redrive", id, "--from", "0")[0][0] == id
    assert titian("rm", id) == []
    titian("show", id, code=5)
    titian("create", "uji_angka", "http://10.0.0.1/", code=1)
    titian("create", "uji_anka", receiver.base + "/perintah", code=5, says="try: uji_angka")


# --- CloudEvents, read by their own library -----------------------------------------------------------------

def check_event(event, hook, rows, kinds):
    """One event of the library's; folds it into rows."""
    assert event.get_source() == "https://bus.uji/v1/views/uji_angka"
    kind = event.get_type().removeprefix("id.go.pekanbaru.bus.uji_angka.").removesuffix(".v1")
    kinds.append(kind)
    assert event.get_specversion() == "1.0" and event.get_time() is not None
    key, sequence = event.get_subject(), event.get_extension("sequence")
    assert event.get_extension("partitionkey") == key and len(sequence) == 20
    assert event.get_extension("dataclassification") == "internal"
    if kind == "upsert":
        assert event.get_dataschema() == "https://bus.uji/v1/openapi.json#/components/schemas/view_uji_angka"
        rows[key] = event.get_data()
    else:
        assert not event.get_data()
        rows.pop(key, None)
    return sequence, event.get_id()


@pytest.mark.parametrize("form", ["binary", "structured", "batch"])
def test_cloudevents_are_read_by_their_library_once_the_receiver_agrees(gateway, receiver, town, form):
    from cloudevents.core.bindings.http import (HTTPMessage, from_binary_event, from_structured_event)
    from cloudevents.core.formats.json import JSONFormat
    path = "/awan-" + form
    receiver.plan[path].append({"status": 200, "headers": {"WebHook-Allowed-Rate": "6000"}})
    hook = gateway.make(view="uji_angka", url=receiver.base + path, format="cloudevents-" + form, rate=60000)
    assert hook["state"] == "validating"
    town.put("é " + form, n=1)  # a key that no header can hold as it is
    town.remove("é " + form)
    town.put('"%41"' + form, n=2)
    town.flush()
    wait_for(lambda: gateway.rows() == town.rows and done(gateway, hook), 20, "the snapshot")
    town.remove('"%41"' + form)
    town.flush()
    rows, kinds, seen = {}, [], []

    def all_of_it():
        rows.clear(), kinds.clear(), seen.clear()
        for r in receiver.got(path):
            body = verify(hook, r)
            if form == "batch":
                seen.extend(check_event(from_structured_event(HTTPMessage(
                    {"content-type": "application/cloudevents+json"}, json.dumps(one).encode()), JSONFormat()), hook, rows,
                    kinds) for one in json.loads(body))
                assert r.headers["Content-Type"].startswith("application/cloudevents-batch+json")
            else:
                read = from_binary_event if form == "binary" else from_structured_event
                seen.append(check_event(read(HTTPMessage(r.headers, body), JSONFormat()), hook, rows, kinds))
                assert form == "structured" or seen[-1][1] == r.headers["webhook-id"]
        return "delete" in kinds and rows == town.rows and done(gateway, hook)
    wait_for(all_of_it, 20, "the last change")
    assert [s for s, _ in seen] == sorted({s for s, _ in seen}) and len({i for _, i in seen}) == len(seen)
    asked = receiver.got(path, "OPTIONS")
    assert len(asked) == 1 and asked[0].headers["WebHook-Request-Origin"] == "bus.uji"
    assert asked[0].headers["WebHook-Request-Rate"] == "60000"
    if form == "binary":  # 6000 a minute: 10 ms between two
        times = [r.at for r in receiver.got(path)]
        assert times[-1] - times[0] >= 0.009 * (len(times) - 2)


def test_a_receiver_that_does_not_agree_gets_nothing(gateway, pki, receiver, town):
    for headers in ({}, {"WebHook-Allowed-Origin": "lain.uji"}):
        receiver.agree = False
        try:
            path = "/tolak%d" % len(headers)
            receiver.plan[path].extend([{"status": 200, "headers": headers}] * 50)
            hook = gateway.make(view="uji_angka", url=receiver.base + path, format="cloudevents-binary")
            wait_for(lambda: gateway.hook(hook)["failures"] >= 2, 20, "two refusals")
            now = gateway.hook(hook)
            assert now["state"] == "validating" and now["last"]["why"] == "WebHook-Allowed-Origin does not name us"
            assert not receiver.got(path)
        finally:
            receiver.agree = True
            gateway.ask("DELETE", "/v1/webhooks/" + hook["id"])


# --- kill -9 ----------------------------------------------------------------------------------------------

def test_kills(gateway, receiver, town):
    """Whatever is killed when: what was received, in its order, is the view; a message that comes twice has its old id."""
    chance = random.Random(SEED)
    path = "/mati"

    def moody(handler):
        return chance.choice([204] * 8 + [500, 503])
    receiver.plan[path].extend([moody] * 20000)
    hook = gateway.make(view="uji_angka", url=receiver.base + path, max_batch=3)
    for kill in range(KILLS):
        for _ in range(chance.randrange(20, 60)):
            key = "k%02d" % chance.randrange(30)
            if chance.random() < 0.2:
                town.remove(key)
            else:
                town.put(key, n=chance.randrange(1000))
            town.producer.poll(0.003)
        town.flush()
        before = len(receiver.got(path))
        wait_for(lambda: len(receiver.got(path)) > before, 20, "something on its way")
        gateway.stop(signal.SIGKILL)
        gateway.start()
    wait_for(lambda: done(gateway, hook) and gateway.rows() == town.rows, 60, "the end")
    got = receiver.got(path)
    assert fold([verify(hook, r) for r in got]) == town.rows
    sequences = [[c["sequence"] for c in json.loads(r.body)["data"]["changes"]] for r in got]
    flat = [s for part in sequences for s in part]
    steps_back = sum(a >= b for a, b in zip(flat, flat[1:]))
    assert steps_back <= KILLS, "backwards only after a kill"
    ids = {}
    for r, part in zip(got, sequences):
        assert ids.setdefault(r.headers["webhook-id"], part) == part
    print("\n%d kills: %d messages, %d changes, %d delivered again" % (KILLS, len(got), len(flat), len(flat) - len(set(flat))))


def test_another_gateway_goes_on_with_the_key(gateway, receiver, town, stranger, plain, pki, hosts, tmp_path_factory):
    """Positions are of one store: the other gateway has its own, so it says so and sends all anew."""
    hook = gateway.make(view="uji_angka", url=receiver.base + "/serah", max_batch=100)
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    other = Gateway(tmp_path_factory.mktemp("gw") / "b", town, allow=["127.0.0.1/32"], ports=[receiver.port],
                    ca=str(pki / "ca.pem"), hosts=str(hosts), base="https://bus.uji",
                    key=str(gateway.dir / "city.db.webhooks.key"))
    other.share_keys(gateway)
    try:
        other.start()
        assert other.hook(hook)["url"] == hook["url"]
        wait_for(lambda: other.hook(hook)["delivered"] == gateway.hook(hook)["delivered"], 20, "the other one to know how far it is")
        assert (gateway.metric("titian_webhooks_delivering"), other.metric("titian_webhooks_delivering")) == (1, 0)
        count = len(receiver.got("/serah"))
        gateway.stop()
        town.put("k09", n=909)
        town.flush()
        wait_for(lambda: len(receiver.got("/serah")) > count + 1 and other.rows() == town.rows and done(other, hook), 30,
                 "the other one to deliver")
        bodies = [verify(hook, r) for r in receiver.got("/serah")]
        assert [json.loads(b)["type"] for b in bodies[count:]][0] == "uji_angka.reset"
        assert fold(bodies) == town.rows
        status, now = other.ask("PATCH", "/v1/webhooks/" + hook["id"], {"suspended": True})
        assert status == 200 and now["state"] == "suspended"
    finally:
        other.stop()
        gateway.start()
    assert gateway.hook(hook)["state"] == "suspended"


@pytest.mark.skipif(KILLS < 10, reason="make soak-webhooks: it waits for the lease to run out")
def test_another_gateway_takes_over_from_one_that_was_killed(gateway, receiver, town, pki, hosts, tmp_path_factory):
    hook = gateway.make(view="uji_angka", url=receiver.base + "/warisan", max_batch=100)
    wait_for(lambda: done(gateway, hook), 20, "the snapshot")
    other = Gateway(tmp_path_factory.mktemp("gw") / "c", town, allow=["127.0.0.1/32"], ports=[receiver.port],
                    ca=str(pki / "ca.pem"), hosts=str(hosts), key=str(gateway.dir / "city.db.webhooks.key"))
    other.share_keys(gateway)
    try:
        other.start()
        gateway.stop(signal.SIGKILL)
        began = time.monotonic()
        town.put("k11", n=1111)
        town.flush()
        wait_for(lambda: other.metric("titian_webhooks_delivering") == 1, 30, "the lease")
        print("\ntaken over after %.1f s" % (time.monotonic() - began))
        wait_for(lambda: fold([r.body for r in receiver.got("/warisan")]) == town.rows, 30, "the rest")
        gateway.start()  # and does not take it back
        time.sleep(3)  # two beats: long enough for it to try
        assert (gateway.metric("titian_webhooks_delivering"), other.metric("titian_webhooks_delivering")) == (0, 1)
    finally:
        other.stop()
        wait_for(lambda: gateway.metric("titian_webhooks_delivering") == 1, 30, "the lease back")


@pytest.mark.skipif(KILLS < 10, reason="make soak-webhooks")
def test_many_webhooks_take_turns(gateway, receiver, town):
    """More than the gateway sends to at a time, some of them silent: none waits for another's silence."""
    def hang(handler):
        time.sleep(3)
        return 0
    for h in gateway.ask("GET", "/v1/webhooks")[1]:
        gateway.ask("DELETE", "/v1/webhooks/" + h["id"])
    made, began = [], time.monotonic()
    for i in range(75):
        path = "/banyak%d" % i
        if i % 5 == 0:
            receiver.plan[path].extend([hang] * 1000)
        made.append((path, gateway.make("kawan" if i < 50 else "lain", view="uji_angka", url=receiver.base + path)))
    good = [path for i, (path, _) in enumerate(made) if i % 5]
    wait_for(lambda: all(len(receiver.got(path)) >= len(town.rows) for path in good), 60, "everybody's snapshot")
    print("\n%d webhooks, %d messages in %.1f s" % (len(good), len(good) * len(town.rows), time.monotonic() - began))
    for path in good:
        assert fold([r.body for r in receiver.got(path)]) == town.rows
    for i, (_, hook) in enumerate(made):
        gateway.ask("DELETE", "/v1/webhooks/" + hook["id"], reader="kawan" if i < 50 else "lain")


def test_nothing_secret_is_on_the_topic_or_in_the_log(gateway, bootstrap):
    from confluent_kafka import Consumer, TopicPartition
    hook = gateway.make(view="uji_angka", url="https://rahasia.uji/token-rahasia", signature="hmac", **{"from": "now"})
    gateway.ask("POST", "/v1/webhooks/%s/test" % hook["id"])
    c = Consumer({"bootstrap.servers": bootstrap, "group.id": "x", "enable.auto.commit": False, "enable.partition.eof": True})
    c.assign([TopicPartition("_webhooks_uji_kait", 0, 0)])
    values = []
    while (m := c.poll(10)) is not None and not m.error():
        values.append((m.key(), m.value() or b""))
    c.close()
    assert sum(key == b"sub/" + hook["id"].encode() for key, _ in values) == 1
    for needle in ("rahasia", "uji_angka", "whsec_", hook["keys"][0]["secret"][6:]):
        assert not any(needle.encode() in v for _, v in values), needle
    for needle in ("token-rahasia", "whsec_", hook["keys"][0]["secret"][6:], "Warga"):
        assert needle not in gateway.log(), needle


def test_the_receivers_of_the_documentation_verify(gateway, receiver, tmp_path):
    """docs/webhooks.md: the programs people copy, given a message as it came, and one that was changed on its way."""
    blocks = re.findall(r"```(python|php)\n(.*?)```", (ROOT / "docs/webhooks.md").read_text(), re.S)
    by_hmac, by_ed25519, php = (text for _, text in blocks)
    hmac = gateway.make(view="uji_angka", url=receiver.base + "/dok-hmac", signature="hmac", **{"from": "now"})
    hook = gateway.make(view="uji_angka", url=receiver.base + "/dok", **{"from": "now"})
    for h in (hmac, hook):
        assert gateway.ask("POST", "/v1/webhooks/%s/test" % h["id"])[1]["status"] == 204
    secret, public = hmac["keys"][0]["secret"], hook["keys"][0]["public"]
    good, bad = receiver.got("/dok")[-1], receiver.got("/dok")[-1]
    bad = bad._replace(body=bad.body.replace(b"test", b"text"))

    sent = receiver.got("/dok-hmac")[-1]
    names = {"headers": sent.headers, "body": sent.body}
    exec(by_hmac.replace("whsec_...", secret), names)  # noqa: S102
    assert names["change"]["type"] == "uji_angka.test"

    names = {"__name__": "receiver"}
    exec(by_ed25519.replace("sys.argv[1]", repr(public)), names)  # noqa: S102
    head = {k.lower(): v for k, v in good.headers.items()}
    assert names["verify"](head, good.body)["type"] == "uji_angka.test"
    with pytest.raises(ValueError):
        names["verify"](head, bad.body)

    (tmp_path / "kait.php").write_text(php.replace("whpk_...", public))
    port = free_ports(1)
    server = subprocess.Popen(["php", "-S", "127.0.0.1:%d" % port, tmp_path / "kait.php"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        def post(r):
            try:
                return urllib.request.urlopen(urllib.request.Request(
                    "http://127.0.0.1:%d/" % port, data=r.body, headers=r.headers), timeout=10).status
            except urllib.error.HTTPError as e:
                return e.code
            except OSError:
                return None
        assert wait_for(lambda: post(good), 20, "php") == 204
        assert post(bad) == 401
    finally:
        server.terminate()
        server.wait(10)
