#!/usr/bin/env python3
"""A PostgreSQL of one's own, in a folder of its own, on a socket in it: for tests of store: postgres.

    tests/support/postgres.py COMMAND...    runs the command with TITIAN_TEST_STORE set, then ends the server

PostgreSQL does not run as root: then it runs as the user that its package made. The database is what docs/growing-postgres.md has the operator make: locale C, an owner, a role that may read.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

OWNER, READER, DATABASE = "titian", "titian_reader", "titian"
SETUP = f"""
CREATE ROLE {READER} NOLOGIN;
CREATE ROLE {OWNER} LOGIN IN ROLE {READER};
CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
"""


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        raise RuntimeError("PostgreSQL is missing: deploy/install.sh test")
    return os.path.dirname(found[-1])


class Postgres:
    more = ()  # options of the server's

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="titian-pg-", dir="/tmp")  # a socket's path is short, and open to its user
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.bin = programs()
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
            os.chmod(self.folder, 0o755)
        subprocess.run([f"{self.bin}/initdb", "-D", self.data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
                       check=True, stdout=subprocess.DEVNULL, **self.user)
        self.start()
        self.sql(SETUP, user="admin", database="postgres")

    @property
    def conninfo(self):
        return f"host={self.folder} user={OWNER} dbname={DATABASE}"

    @property
    def store(self):
        return f"postgres:{READER}:{self.conninfo}"

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [f"{self.bin}/postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c", "max_connections=60",
                 "-c", "shared_buffers=64MB", "-c", "log_min_messages=warning", "-c", "log_min_error_statement=panic", *self.more],
                stdout=log, stderr=log, **self.user)
        deadline = time.monotonic() + 180
        while subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", self.folder]).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(open(self.log).read())
            time.sleep(0.05)

    def kill(self):
        """As when the power goes: the server and what it made end at once."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, user=OWNER, database=DATABASE):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", user, "-d", database],
                              input=text, text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout


def main():
    server = Postgres()
    try:
        return subprocess.run(sys.argv[1:], env={**os.environ, "TITIAN_TEST_STORE": server.store}).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
