"""Folders on other machines, as real servers give them: OpenSSH's sshd, pyftpdlib with TLS, wsgidav behind cheroot. Each on a
port of its own on loopback, with keys of its own; and a link to any of them that can be cut."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

from conftest import free_ports, wait_for


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def certificate(folder):
    """One that signs itself, for localhost and 127.0.0.1: (certificate, key, both)."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.crt"],
                   check=True, capture_output=True)
    (folder / "tls.pem").write_text((folder / "tls.crt").read_text() + (folder / "tls.key").read_text())
    return folder / "tls.crt", folder / "tls.key", folder / "tls.pem"


class Server:
    """A process, its folder `root` and its port."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.root.mkdir(parents=True)
        self.port = free_ports(1)
        self.process = None

    def run(self, *words):
        self.words = [str(w) for w in words]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT)
        wait_for(lambda: answers(self.port) or self.process.poll() is not None, 30, "a server")
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def put(self, name, data, mtime=None):
        hidden = self.root / ("." + name)
        hidden.write_bytes(data)
        if mtime:
            os.utime(hidden, (mtime, mtime))
        hidden.rename(self.root / name)


class Sshd(Server):
    def __init__(self, folder):
        super().__init__(folder)
        for name in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.folder / name], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized")
        (self.folder / "config").write_text("\n".join([
            "Port %d" % self.port, "ListenAddress 127.0.0.1", "HostKey %s" % (self.folder / "host"), "AuthorizedKeysFile %s" % (self.folder / "authorized"),
            "PermitRootLogin yes", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no", "StrictModes no", "MaxStartups 100",
            "PidFile none", "Subsystem sftp internal-sftp", ""]))
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.run("/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "config")
        done = subprocess.run(["ssh-keygen", "-l", "-f", self.folder / "host.pub"], check=True, capture_output=True, text=True)
        self.fingerprint = done.stdout.split()[1]

    def fetch(self, port=None, key="user", **more):
        import getpass
        return {"url": "sftp://127.0.0.1:%d%s/" % (port or self.port, self.root), "user": getpass.getuser(), "key": self.folder / key,
                "host_key": '"%s"' % self.fingerprint, **more}


FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer
port, root, pem, tls = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "tls"
users = DummyAuthorizer()
users.add_user("dinas", "kata sandi", root, perm="elradfmwMT")
handler = TLS_FTPHandler if tls else FTPHandler
if tls:
    handler.certfile = pem
    handler.tls_control_required = handler.tls_data_required = True
handler.authorizer = users
FTPServer(("127.0.0.1", port), handler).serve_forever()
"""


class WithPassword(Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.crt, self.key, self.pem = certificate(self.folder)
        self.password = self.folder / "password"
        self.password.write_text("kata sandi\n")
        self.password.chmod(0o600)

    def fetch(self, port=None, **more):
        return {"url": self.url(port or self.port), "user": "dinas", "password_file": self.password, "ca": self.crt, **more}


class Ftps(WithPassword):
    def __init__(self, folder, tls=True):
        super().__init__(folder)
        self.run(sys.executable, "-c", FTP, self.port, self.root, self.pem, "tls" if tls else "clear")

    def url(self, port):
        return "ftp://127.0.0.1:%d/" % port


DAV = """
import sys
from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from wsgidav.wsgidav_app import WsgiDAVApp
port, root, crt, key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
app = WsgiDAVApp({"provider_mapping": {"/berkas dinas": root}, "verbose": 1, "logging": {"enable_loggers": []},
                  "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
                  "simple_dc": {"user_mapping": {"*": {"dinas": {"password": "kata sandi"}}}}})
server = wsgi.Server(("127.0.0.1", port), app)
server.ssl_adapter = BuiltinSSLAdapter(crt, key)
server.start()
"""


class Dav(WithPassword):
    def __init__(self, folder):
        super().__init__(folder)
        self.run(sys.executable, "-c", DAV, self.port, self.root, self.crt, self.key)

    def url(self, port):
        return "https://127.0.0.1:%d/berkas%%20dinas/" % port


class Link:
    """Passes on to a port; cut(n): every connection breaks after n more bytes from there, as often as is said."""

    def __init__(self, to):
        self.to, self.cuts, self.after = to, 0, 0
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def cut(self, times, after):
        self.cuts, self.after = times, after

    def serve(self):
        while True:
            try:
                near, _ = self.door.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            threading.Thread(target=self.pass_on, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(far, near, True), daemon=True).start()

    def pass_on(self, a, b, from_there):
        passed = 0
        try:
            while data := a.recv(65536):
                passed += len(data)
                if from_there and self.cuts and passed > self.after:
                    self.cuts -= 1
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.door.close()
