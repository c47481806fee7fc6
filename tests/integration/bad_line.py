"""A line that is bad: a proxy on the loopback that cuts, delays and bends what goes through it, by a seed."""
import random
import select
import socket
import threading
import time

FAULTS = {"none": 70, "cut": 10, "cut request": 3, "delay": 6, "bend": 8, "bend request": 3}


class BadLine:
    def __init__(self, port, seed, faults=FAULTS):
        self.port, self.chance, self.faults = port, random.Random(seed), faults
        self.lock, self.done = threading.Lock(), {name: 0 for name in faults if name != "none"}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                fault = self.chance.choices(list(self.faults), list(self.faults.values()))[0]
                at = self.chance.choice((self.chance.randrange(40), self.chance.randrange(1500), self.chance.randrange(6000)))
            threading.Thread(target=self.carry, args=(near, fault, at), daemon=True).start()

    def carry(self, near, fault, at):
        try:
            far = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        except OSError:
            near.close()
            return
        gone = {near: 0, far: 0}  # bytes from there
        bad = near if "request" in fault else far
        try:
            while True:
                ready, _, _ = select.select([near, far], [], [], 30)
                if not ready:
                    return
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    here = at - gone[source]
                    gone[source] += len(data)
                    if source is bad and fault != "none" and 0 <= here < len(data):
                        with self.lock:
                            self.done[fault] += 1
                        if fault.startswith("cut"):
                            (far if source is near else near).sendall(data[:here])
                            return
                        if fault.startswith("bend"):
                            data = data[:here] + bytes([data[here] ^ 1 << at % 7]) + data[here + 1:]
                        else:
                            time.sleep(0.05)
                    (far if source is near else near).sendall(data)
        except OSError:
            pass
        finally:
            near.close()
            far.close()

    def close(self):
        self.socket.close()
