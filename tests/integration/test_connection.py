"""`titian adapter test-connection` on a table that is to be followed: one after the other, what a real PostgreSQL still lacks, and the
SQL that mends it is the one it says."""
import re
import sys

from conftest import ROOT
from own_adapter import BIN, OwnAdapter
from test_change import MAPPING, UNIT

sys.path.insert(0, str(ROOT / "tests/support"))
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
