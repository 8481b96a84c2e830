"""Keeps COUNT connections to PORT that ask nothing, and opens each anew that is closed, until it is killed: idle.py PORT COUNT [SECONDS]."""
import selectors
import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
end = time.monotonic() + float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
selector = selectors.DefaultSelector()
held = 0
while time.monotonic() < end:
    opened = 0
    while held < count and opened < 200:
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        selector.register(one, selectors.EVENT_READ)
        held, opened = held + 1, opened + 1
    for key, _ in selector.select(0.02):
        try:
            if not key.fileobj.recv(4096):
                raise OSError
        except BlockingIOError:
            continue
        except OSError:
            selector.unregister(key.fileobj)
            key.fileobj.close()
            held -= 1
