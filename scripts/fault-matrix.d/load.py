"""Asks for redirects on four kept connections, 400 a second, and writes when, how long, and whether it was one: load.py PORT FILE."""
import sys
import threading
import time

import players


class Measured(players.Player):
    def __init__(self, file, port):
        self.file = file
        super().__init__(kept=True, pause=0.01, port=port)

    def _ask(self):
        begun, good = time.monotonic(), 0
        try:
            target = super()._ask()
            good = 1
            return target
        finally:
            self.file.write(f"{begun:.6f} {time.monotonic() - begun:.6f} {good}\n")


with open(sys.argv[2], "w", buffering=1) as file:
    for _ in range(4):
        Measured(file, int(sys.argv[1]))
    threading.Event().wait()
