"""Two network namespaces with one cable between them: an office, and what leads to Kafka. Needs root; the cable can be pulled,
and then nothing answers, not even with a refusal."""
import ctypes
import os
import socket
import subprocess
import threading

LIBC = ctypes.CDLL(None, use_errno=True)


def inside(name, call):
    """What call gives, in a namespace (None: ours); on a thread of its own, which ends with it."""
    got = []

    def run():
        if name:
            fd = os.open("/run/netns/" + name, os.O_RDONLY)
            assert LIBC.setns(fd, 0x40000000) == 0, os.strerror(ctypes.get_errno())
            os.close(fd)
        try:
            got.append((call(), None))
        except Exception as e:  # noqa: BLE001
            got.append((None, e))
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if got[0][1]:
        raise got[0][1]
    return got[0][0]


def ip(*words):
    subprocess.run(("ip",) + words, check=True, capture_output=True, text=True)


class Cable:
    """Office and centre; port of 127.0.0.1 in the office is that port of 127.0.0.1 here."""

    def __init__(self, port):
        self.office, self.centre = "titian-o%d" % os.getpid(), "titian-c%d" % os.getpid()
        self.doors = []
        for name in (self.office, self.centre):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.office, "link", "add", "kabel", "type", "veth", "peer", "name", "kabel", "netns", self.centre)
        for name, address in ((self.office, "10.203.0.2/30"), (self.centre, "10.203.0.1/30")):
            ip("-n", name, "address", "add", address, "dev", "kabel")
            ip("-n", name, "link", "set", "kabel", "up")
        self.pass_on(self.centre, "10.203.0.1", None, "127.0.0.1", port)
        self.pass_on(self.office, "127.0.0.1", self.office, "10.203.0.1", port)

    def pull(self, yes=True):
        ip("-n", self.office, "link", "set", "kabel", "down" if yes else "up")

    def pass_on(self, door_in, address, to_in, to, port):
        door = inside(door_in, lambda: socket.create_server((address, port)))
        self.doors.append(door)

        def pump(a, b):
            try:
                while data := a.recv(65536):
                    b.sendall(data)
            except OSError:
                pass
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        def link(near):
            try:
                far = inside(to_in, lambda: socket.create_connection((to, port), timeout=5))
            except OSError:
                near.close()
                return
            far.settimeout(None)
            threading.Thread(target=pump, args=(near, far), daemon=True).start()
            pump(far, near)

        def serve():
            while True:
                try:
                    near, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=link, args=(near,), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()

    def close(self):
        for door in self.doors:
            door.close()
        for name in (self.office, self.centre):
            ip("netns", "del", name)
