"""Files of a folder on another machine: SFTP, FTP over TLS, WebDAV, each from a real server. What stands on the topic is read by
Confluent's consumer and compared with what was put into the folder."""
import socket
import time

import pytest

from conftest import ROOT, wait_for
from far_stage import Dav, Ftps, Link, Sshd
from own_adapter import OwnAdapter
from test_fetch_sql import UNIT

MAPPING = """feed: %(opd)s_unit
topic: pku.%(opd)s.unit.v1
kind: register
fetch:
  kind: folder
  every: 1s
%(fetch)s
source: {kind: delimited}
values:
  kode: {from: kode}
  jumlah: {from: jumlah, as: whole}
key: kode
fields: {kode: kode, nama: {from: nama}, jumlah: jumlah}
"""
SOON = {"files": '"unit*.csv"', "settle": "200ms"}


def mapping(opd, fetch):
    return MAPPING % {"opd": opd, "fetch": "\n".join("  %s: %s" % pair for pair in fetch.items())}


def adapter(apart, opd, fetch):
    return OwnAdapter(apart, opd, {"unit": UNIT}, {"unit.yaml": mapping(opd, {**SOON, **fetch})})


def rows(first, last, word="Unit"):
    return [("U%06d" % i, "%s %d \u00e9" % (word, i), i) for i in range(first, last)]


def table(rows_):
    return ("kode,nama,jumlah\n" + "".join("%s,%s,%d\n" % r for r in rows_)).encode()


def same(own, rows_, entity="unit"):
    return own.fold(entity) == {k: {"kode": k, "nama": n, "jumlah": j} for k, n, j in rows_}


def brought(own):
    return [r.value for r in own.records("berkas") if r.value and r.value["status"] == "SELESAI"]


def feeds(apart, opd, fetches):
    """One adapter with a feed for each: {entity: fetch}."""
    text = mapping(opd, {})
    schemas = {name: {**UNIT, "name": name.capitalize()} for name in fetches}
    return OwnAdapter(apart, opd, schemas, {name + ".yaml": text.replace("_unit", "_" + name).replace(".unit.", ".%s." % name).replace(
        "  every: 1s", "  every: 1s\n" + "\n".join("  %s: %s" % pair for pair in {**SOON, **fetch}.items())) for name, fetch in fetches.items()})


def without(fetch, *names, **more):
    return {k: v for k, v in {**fetch, **more}.items() if k not in names}


@pytest.fixture(params=["sftp", "ftps", "dav"])
def server(request, tmp_path):
    made = {"sftp": Sshd, "ftps": Ftps, "dav": Dav}[request.param](tmp_path / "server")
    made.kind = request.param
    yield made
    made.stop()


@pytest.fixture
def sshd(tmp_path):
    made = Sshd(tmp_path / "server")
    yield made
    made.stop()


def test_files_come_once_each_in_order_and_are_put_away(apart, server):
    """Also: names as people give them, what is not finished, what is no file, a name that is taken where read files go."""
    (server.root / "selesai").mkdir()
    (server.root / "unit-folder.csv").mkdir()
    old = time.time() - 1000
    server.put("unit baru 100% #2 'a' & \u00e9.csv", table(rows(0, 300, "Baru")), old + 20)
    server.put("unit1.csv", table(rows(0, 500)), old)
    server.put("unit1.csv.tmp", b"setengah", old)
    server.put("lain.txt", b"bukan untuk kita", old)
    (server.root / "selesai/unit1.csv").write_bytes(b"dari tahun lalu")
    own = adapter(apart, "folder" + server.kind, server.fetch(after="{move: selesai}")).start()
    try:
        expected = rows(0, 300, "Baru") + rows(300, 500)
        wait_for(lambda: same(own, expected), 60, "the rows")
        wait_for(lambda: not [p for p in server.root.iterdir() if p.name.startswith("unit") and p.suffix == ".csv" and p.is_file()], 20, "all put away")
        kept = {p.name for p in (server.root / "selesai").iterdir()}
        assert {"unit1.csv", "unit baru 100% #2 'a' & \u00e9.csv"} < kept and len(kept) == 3
        assert (server.root / "selesai/unit1.csv").read_bytes() == b"dari tahun lalu"
        assert {p.name for p in server.root.iterdir()} == {"selesai", "unit-folder.csv", "unit1.csv.tmp", "lain.txt"}
        names = [r["nama"].split("Z-", 1)[1] for r in brought(own)]
        assert names == ["unit1.csv", "unit baru 100% #2 'a' & \u00e9.csv"], "oldest first"
        assert len(own.records("unit")) == 800 and "kata sandi" not in own.log()
    finally:
        own.stop()


def test_a_cut_link_a_slow_upload_and_a_marker(apart, sshd):
    """A transfer goes on where it was cut; what is still being written is waited for; a marker says what is complete."""
    link = Link(sshd.port)
    link.cut(50, 400000)  # no connection lives long enough for the whole file
    data = table(rows(0, 40000))
    folder = {name: sshd.root / name for name in ("putus", "lambat", "penanda")}
    for path in folder.values():
        path.mkdir()

    def at(name, port=None, **more):
        fetch = sshd.fetch(port=port, **more)
        return {**fetch, "url": fetch["url"] + name + "/"}
    (folder["putus"] / "unit.csv").write_bytes(data)
    (folder["lambat"] / "unit1.csv").write_bytes(table(rows(0, 10)))
    growing = folder["lambat"] / "unit2.csv"
    growing.write_bytes(table(rows(0, 1)))
    (folder["penanda"] / "unit1.csv").write_bytes(table(rows(0, 5)))
    (folder["penanda"] / "unit2.csv").write_bytes(table(rows(5, 10)))
    (folder["penanda"] / "unit2.csv.ok").touch()
    own = feeds(apart, "folderpelan", {"putus": at("putus", link.port, after="delete"), "lambat": at("lambat", settle="600ms"),
                                       "penanda": at("penanda", done=".ok", after="delete")}).start()

    def sizes(name):
        return [r["ukuran"] for r in brought(own) if r["umpan"] == "folderpelan_" + name]
    try:
        longest, last = 0, time.monotonic()
        for n in range(2, 14):  # a row every 100 ms, as a slow upload
            growing.write_bytes(table(rows(0, n)))
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            time.sleep(0.1)
        wait_for(lambda: same(own, rows(0, 13), "lambat"), 40, "the rows of the finished file")
        assert sorted(sizes("lambat")) == [len(table(rows(0, n))) for n in (10, 13)] or longest > 0.4, "half a file was taken"
        wait_for(lambda: same(own, rows(5, 10), "penanda"), 40, "the complete one")
        wait_for(lambda: {p.name for p in folder["penanda"].iterdir()} == {"unit1.csv"}, 20, "file and marker gone")
        (folder["penanda"] / "unit1.csv.ok").touch()
        wait_for(lambda: same(own, rows(0, 10), "penanda"), 40, "the other")
        wait_for(lambda: sizes("putus"), 60, "the file over the link")
        assert len(own.fold("putus")) == 40000 and 0 < link.cuts < 50 and sizes("putus") == [len(data)] and len(data) > 800000
        wait_for(lambda: not list(folder["putus"].iterdir()), 20, "the file removed there")
        assert "fetch_failed" not in own.log(), "no fetch was begun anew"
    finally:
        own.stop()
        link.close()


def test_kills_and_a_file_that_is_refused(apart, sshd):
    """What was read is not fetched again after a kill; what was refused stays there; the same content is published once."""
    sshd.put("unit1.csv", table(rows(0, 100)))
    own = adapter(apart, "foldermati", sshd.fetch(after="delete")).start()
    try:
        wait_for(lambda: same(own, rows(0, 100)), 40, "the first")
        own.kill()
        sshd.put("unit2.csv", b"\x00bukan tabel")
        sshd.put("unit3.csv", table(rows(100, 200)))
        own.start()
        wait_for(lambda: same(own, rows(0, 200)), 40, "the third")
        wait_for(lambda: {p.name for p in sshd.root.iterdir()} == {"unit2.csv"}, 20, "the read ones gone, the refused one there")
        own.kill()
        sshd.put("unit4.csv", table(rows(0, 100)))
        own.start()
        wait_for(lambda: {p.name for p in sshd.root.iterdir()} == {"unit2.csv"}, 30, "the same content once more")
        assert len(own.records("unit")) == 200
        refused = list((own.dir / "drop/refused").glob("*unit2.csv"))
        assert len(refused) == 1, "refused once, not fetched again"
    finally:
        own.stop()


def test_an_unknown_machine_gets_nothing_and_every_trouble_is_told_with_its_remedy(apart, tmp_path):
    ssh, ftps, dav = Sshd(tmp_path / "ssh"), Ftps(tmp_path / "ftps"), Dav(tmp_path / "dav")
    clear = Ftps(tmp_path / "clear", tls=False)
    try:
        for server in (ssh, clear):
            server.put("unit1.csv", table(rows(0, 3)))
        known, wrong = {}, {}
        for name in ("stranger", "host"):
            known[name] = ssh.folder / ("known_" + name)
            known[name].write_text("[127.0.0.1]:%d %s" % (ssh.port, (ssh.folder / (name + ".pub")).read_text()))
        (ssh.folder / "open").write_bytes((ssh.folder / "user").read_bytes())
        (ssh.folder / "open").chmod(0o644)
        secret = tmp_path / "salah"
        secret.write_text("kata salah\n")
        secret.chmod(0o600)
        troubles = {
            "tanpa": (without(ssh.fetch(), "host_key"), [ssh.fingerprint, "ssh-keygen -l"]),
            "lain": (ssh.fetch(host_key='"SHA256:%s"' % ("A" * 43)), [ssh.fingerprint, "another machine"]),
            "asing": (without(ssh.fetch(), "host_key", known_hosts=known["stranger"]), [ssh.fingerprint, "is not the one in"]),
            "kunci": (ssh.fetch(key="stranger"), ["authorized_keys"]),
            "terbuka": (ssh.fetch(key="open"), ["can be read by others: chmod 600"]),
            "terang": (clear.fetch(), ["the server does no TLS", "insecure: true"]),
            "ftpca": (without(ftps.fetch(), "ca"), ["certificate is not to be trusted"]),
            "davca": (without(dav.fetch(), "ca"), ["certificate"]),
            "ftpsandi": (ftps.fetch(password_file=secret), ["does not take user 'dinas'"]),
            "davsandi": (dav.fetch(password_file=secret), ["answers 401"]),
            "ftpmana": (ftps.fetch(url=ftps.url(ftps.port) + "tidak-ada/"), ["no such folder"]),
            "davmana": (dav.fetch(url=dav.url(dav.port) + "tidak-ada/"), ["not there (404)"]),
            "sshmana": (ssh.fetch(url="sftp://127.0.0.1:%d/tidak-ada/" % ssh.port), ["not there"]),
        }
        good = {"dikenal": without(ssh.fetch(), "host_key", known_hosts=known["host"]), "terus": clear.fetch(insecure="true")}
        own = feeds(apart, "folderaneh", {**{name: fetch for name, (fetch, _) in troubles.items()}, **good})
        own.start()
        try:
            def lines(name):
                return [x for x in own.log().splitlines() if "fetch_failed" in x and "folderaneh_%s " % name in x]
            for name, (_, words) in troubles.items():
                line = wait_for(lambda: lines(name), 40, name)[0]
                assert all(w in line for w in words), line
            for name in good:
                wait_for(lambda: len(own.fold(name)) == 3, 40, name)
                assert not lines(name)
            assert "kata s" not in own.log()
        finally:
            own.stop()
    finally:
        for server in (ssh, ftps, dav, clear):
            server.stop()


def test_a_stop_does_not_wait_for_a_machine_that_says_nothing(apart, sshd):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        own = adapter(apart, "folderdiam", sshd.fetch(port=silent.getsockname()[1])).start()
        silent.settimeout(30)
        silent.accept()
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 15 and own.process.returncode == 0


@pytest.fixture(scope="module")
def mistaken(apart):
    return OwnAdapter(apart, "foldersalah", {"unit": UNIT}, {"unit.yaml": mapping("foldersalah", SOON)})


@pytest.mark.parametrize("fetch, says", [
    ({"url": "smb://x/y"}, "a Windows share is mounted"),
    ({"url": "https://a:b@x/y"}, "without user and password"),
    ({"url": "sftp://x/y", "user": "a"}, "key or password_file is missing"),
    ({"url": "sftp://x/y", "user": "a", "key": "/k", "host_key": "ab:cd"}, "as ssh-keygen -l writes it"),
    ({"url": "ftps://x/y", "user": "a", "password_file": "/p", "host_key": '"SHA256:x"'}, "belong to sftp://"),
    ({"url": "sftp://x/y", "user": "a", "key": "/k", "after": "{move: ../x}"}, "the name of a folder within"),
    ({"url": "sftp://x/y", "user": "a", "key": "/k", "files": "[]"}, "files:"),
    ({"url": "sftp://x/y", "user": "a", "key": "/k", "aftr": "keep"}, "did you mean 'after'"),
])
def test_a_mistake_is_told_with_its_place(mistaken, fetch, says):
    (mistaken.dir / "map/unit.yaml").write_text(mapping("foldersalah", {**SOON, **fetch}))
    done = mistaken.run(ROOT / "build/release/bin/titian-adapter", "check", "--config", mistaken.conf, check=False)
    assert done.returncode == 2 and says in done.stderr and "unit.yaml:" in done.stderr, done.stderr
