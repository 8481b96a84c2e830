"""What happens to the database. `begin` breaks it, `heal` mends it as far as it takes to look what is stored.

`writes`: only a call that writes meets this fault, so the scenario sends an edit with it. `stored`: what was stored is there when it is healed.
"""
import os
import shutil
import signal
import sqlite3
import subprocess

import world


class Fault:
    writes, stored = False, True

    def __init__(self, database):
        self.database = database
        self.server = isinstance(database, world.MariaDB)


class Hung(Fault):
    def begin(self):
        self.database.process.send_signal(signal.SIGSTOP)

    def heal(self):
        self.database.process.send_signal(signal.SIGCONT)


class Cut(Fault):
    def begin(self):
        world.run("nft", "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; "
                  "add rule inet cut out tcp dport 3306 drop; add rule inet cut out tcp sport 3306 drop")

    def heal(self):
        world.run("nft", "delete table inet cut")


class Locked(Fault):
    writes = True

    def begin(self):
        if self.server:
            self.holder = subprocess.Popen(
                ["mariadb", "--no-defaults", f"--socket={self.database.folder}/sock", "-uroot", "--batch", "--unbuffered", "--skip-column-names"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.holder.stdin.write("FLUSH TABLES WITH READ LOCK; SELECT 'held';\n")
            self.holder.stdin.flush()
            self.holder.stdout.readline()
        else:
            self.holder = sqlite3.connect(self.database.path, isolation_level=None, timeout=5)
            self.holder.execute("BEGIN EXCLUSIVE")

    def heal(self):
        if self.server:
            self.holder.kill()
            self.holder.wait()
        else:
            self.holder.execute("ROLLBACK")
            self.holder.close()


class ReadOnly(Fault):
    writes = True

    def begin(self):
        if self.server:
            self.database.statement("SET GLOBAL read_only = 1")
        else:
            self.files = [str(path) for path in self.database.folder.iterdir() if path.name.startswith("balancer.db") and "state" not in path.name]
            world.run("chattr", "+i", *self.files)

    def heal(self):
        if self.server:
            self.database.statement("SET GLOBAL read_only = 0")
        else:
            world.run("chattr", "-i", *self.files)


class Empty(Fault):
    stored = False

    def begin(self):
        if self.server:
            self.database.statement("DROP DATABASE balancer; CREATE DATABASE balancer")
        else:
            for suffix in ("", "-wal", "-shm"):
                self.database.path.with_name(f"balancer.db{suffix}").unlink(missing_ok=True)
            self.database.path.touch()

    def heal(self):
        pass


class Gone(Fault):
    def begin(self):
        if self.server:
            self.database.process.kill()
            self.database.process.wait()
        else:
            self.database.folder.rename(self.database.folder.with_name("away"))

    def heal(self):
        if self.server:
            self.database.start()
        else:
            # What a balancer may have put there meanwhile is in the way.
            if self.database.folder.exists():
                self.database.folder.rename(self.database.folder.with_name("made-meanwhile"))
            self.database.folder.with_name("away").rename(self.database.folder)


class Frozen(Fault):
    """The folder is on a disk of its own, see main.py."""
    # A read from memory is answered still; only a write waits for the disk.
    writes = True

    def begin(self):
        world.run("fsfreeze", "--freeze", os.environ["FAULT_MATRIX_DISK"])

    def heal(self):
        world.run("fsfreeze", "--unfreeze", os.environ["FAULT_MATRIX_DISK"])


FAULTS = {
    "hung": Hung, "cut": Cut, "locked": Locked, "read-only": ReadOnly, "empty": Empty, "gone": Gone, "disk frozen": Frozen,
}
MEANING = {
    "hung": "SIGSTOP of the server", "cut": "packets to and from the server dropped by nftables",
    "locked": "FLUSH TABLES WITH READ LOCK; BEGIN EXCLUSIVE by another process", "read-only": "read_only=1; chattr +i on the database's files",
    "empty": "database dropped and made anew; file replaced by an empty one", "gone": "mariadbd killed; the folder moved away",
    "disk frozen": "fsfreeze of the file system that holds the database",
}
WITHOUT_MEANING = {
    ("sqlite", "hung"): "no server to stop; another process that is stopped with a lock is `locked`",
    ("sqlite", "cut"): "no network between the balancer and its file",
}
