"""A client that keeps to no rule: raw bytes to a port, however many, and what the server says meanwhile."""
import select
import socket
import time

PIECE = b"a" * 65536


class Answer:
    def __init__(self, raw, sent, seconds):
        head, self.whole, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else None
        self.headers = {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}
        self.sent, self.seconds = sent, seconds

    def __repr__(self):
        return "%s %s, %d bytes sent, %.1f s: %r" % (self.status, self.headers.get("content-type"), self.sent, self.seconds,
                                                     self.body[:300])


def complete(raw, head_only):
    head, found, body = raw.partition(b"\r\n\r\n")
    if not found:
        return False
    head = head.lower()
    if head_only or b"content-length:" not in head:  # a stream: its head says enough
        return True
    return len(body) >= int(head.split(b"content-length:")[1].split(b"\r\n")[0])


def say(port, head, body=(), seconds=20):
    """Sends head, then the pieces of body until the server has answered or hung up; its first answer."""
    began, sent, raw, open_ = time.monotonic(), 0, b"", True
    pieces, rest = iter(body), memoryview(head)
    only = head.startswith(b"HEAD ")
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        s.setblocking(False)
        while not complete(raw, only):
            left = began + seconds - time.monotonic()
            assert left > 0, "no answer within %g s, %d bytes sent, heard %r" % (seconds, sent, raw[:200])
            if not rest and open_:
                piece = next(pieces, None)
                open_, rest = piece is not None, memoryview(piece or b"")
            readable, writable, _ = select.select([s], [s] if rest else [], [], left)
            try:
                if readable:
                    more = s.recv(65536)
                    if not more:
                        break
                    raw += more
                elif writable:
                    n = s.send(rest)
                    sent += n
                    rest = rest[n:]
            except OSError:  # it has hung up: what it had said before is still there to be read
                try:
                    while more := s.recv(65536):
                        raw += more
                except OSError:
                    pass
                break
    return Answer(raw, sent, time.monotonic() - began)


def head(method, path, key=None, **headers):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: kota"]
    if key:
        lines.append("Authorization: Bearer " + key)
    lines += ["%s: %s" % (k.replace("_", "-"), v) for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def whole(port, method, path, body=b"", key=None, seconds=20, **headers):
    """A request as it should be, whatever is in it."""
    if body:
        headers["Content-Length"] = len(body)
    return say(port, head(method, path, key, **headers), [body] if body else (), seconds)


def gigabyte(chunked):
    for _ in range((1 << 30) // len(PIECE)):
        yield b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    if chunked:
        yield b"0\r\n\r\n"
