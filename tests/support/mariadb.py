"""A MariaDB of one's own, in a folder of its own, on a socket in it and no port."""
import os
import shutil
import signal
import subprocess
import tempfile
import time


class MariaDB:
    def __init__(self, *options):
        self.options = options
        if not shutil.which("mariadbd", path="/usr/sbin:/usr/bin"):
            raise RuntimeError("MariaDB is missing: deploy/install.sh test")
        self.folder = tempfile.mkdtemp(prefix="titian-my-", dir="/tmp")  # a socket's path is short
        self.data, self.socket = os.path.join(self.folder, "data"), os.path.join(self.folder, "s")
        self.log = os.path.join(self.folder, "log")
        self.user = ["--user=mysql"] if os.getuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "mysql", "mysql")
        done = subprocess.run(["mariadb-install-db", "--no-defaults", "--datadir=" + self.data, "--auth-root-authentication-method=normal",
                               "--skip-test-db", *self.user], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        self.start()
        self.sql("CREATE DATABASE titian CHARACTER SET utf8mb4; CREATE USER titian@localhost; GRANT ALL ON titian.* TO titian@localhost", database="")

    @property
    def odbc(self):
        return "Driver=MariaDB Unicode;SOCKET=%s;DATABASE=titian;UID=titian;FORWARDONLY=1;NO_CACHE=1" % self.socket

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + self.data, "--socket=" + self.socket, "--skip-networking", "--pid-file=" + self.folder + "/pid",
                 "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=2", *self.options, *self.user], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 180
        while subprocess.run(["mariadb-admin", "--no-defaults", "-u", "root", "-S", self.socket, "ping"], capture_output=True).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(open(self.log).read())
            time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="titian"):
        """Rows as lines, columns parted by |."""
        done = subprocess.run(["mariadb", "--no-defaults", "-u", "root", "-S", self.socket, "--default-character-set=utf8mb4", "-N", "-B", database],
                              input=text, text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.replace("\t", "|")

    def session(self):
        """A client that stays: statements are written to stdin, one a line."""
        return subprocess.Popen(["mariadb", "--no-defaults", "-u", "root", "-S", self.socket, "-N", "-B", "--unbuffered", "titian"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
