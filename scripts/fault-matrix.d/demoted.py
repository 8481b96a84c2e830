"""The primary of two MariaDB servers is made read-only, its connections stay open, and its replica is made the primary: behind one address, as a
virtual one or a Kubernetes Service, and behind two addresses of a list.

Edits are accepted again within 5 s of the moment from which a writable server can be reached; until then the node shows that it is degraded.
"""
import socket
import threading
import time

import checks
import players
import world

BOUND = 5


class Proxy(threading.Thread):
    """One address; new connections are led to `port`, those that stand stay where they are."""

    def __init__(self, address, port):
        super().__init__(daemon=True)
        self.port = port
        self.listener = socket.create_server((address, 3306))
        self.start()

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                client.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()


def servers(folder, template):
    first = world.MariaDB(folder, template, port=3311, name="first", flags=("--log-bin=log", "--server-id=1"))
    second = world.MariaDB(folder, template, port=3312, name="second", flags=("--server-id=2", "--read-only=1"))
    second.statement("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=3311, MASTER_USER='replica', MASTER_PASSWORD='p', "
                     "MASTER_USE_GTID=slave_pos; START SLAVE")
    return first, second


def one(checks_, folder, template, behind):
    folder = folder / behind.replace(" ", "-")
    folder.mkdir()
    first, second = servers(folder, template)
    proxy = Proxy("127.0.0.9", 3311) if behind == "one address" else None
    url = "mysql://b:p@127.0.0.9:3306/balancer" if proxy else "mysql://b:p@127.0.0.1:3311,127.0.0.1:3312/balancer"
    balancer = world.Balancer(folder, url).start().started()
    editor = players.Editor()
    editor.replace(world.catalog())
    editor.edit()
    monitor = players.Monitor()
    player = players.Player(kept=True)
    time.sleep(2)
    demoted = time.monotonic()
    first.statement("SET GLOBAL read_only = 1")
    refused = editor.begin()
    time.sleep(4)
    position = first.statement("SELECT @@gtid_binlog_pos").strip()
    second.statement(f"DO MASTER_GTID_WAIT('{position}', 10)")
    second.statement("STOP SLAVE; SET GLOBAL read_only = 0")
    if proxy:
        proxy.port = 3312
    writable = time.monotonic()
    accepted = None
    tries = []
    while accepted is None and time.monotonic() < writable + 30:
        tries.append(editor.begin())
        tries[-1].join(3)
        if tries[-1].acknowledged:
            accepted = tries[-1].ended - writable
        elif tries[-1].status == 412:
            editor.read()
        time.sleep(0.1)
    shown = monitor.shown("/readyz", demoted)
    at = f"behind {behind}: "
    checks_.at_most(at + "edits are accepted again", accepted, BOUND)
    if accepted is None:
        print(f"      last answer: {tries[-1].outcome} {tries[-1].answer.body[:300].decode(errors='replace') if tries[-1].answer else ''}")
    checks_.at_most(at + "degraded is shown after the refused edit", shown and shown - demoted, 5)
    checks_.holds(at + "the edit while nothing was writable", refused.answer is not None, refused.outcome)
    comments = second.comments()
    acknowledged = [edit for edit in editor.calls if edit.acknowledged]
    lost = [edit.name_ for edit in acknowledged if edit.name_ not in comments]
    checks_.holds(at + "acknowledged edits on the new primary", not lost, f"{len(acknowledged) - len(lost)} of {len(acknowledged)}" + (f", lost {lost}" if lost else ""))
    checks_.holds(at + "failed redirects", not player.failures, f"{len(player.failures)} of {len(player.redirects)}")
    player.until = monitor.until = 0
    balancer.terminate()
    checks_.at_most(at + "exit", balancer.wait(), balancer.may_take)
    for child in (first.process, second.process):
        child.kill()
        child.wait()
    if proxy:
        proxy.end()


def scenario(checks_, folder, template, soak):
    for round_ in range(5 if soak else 1):
        for behind in ("one address", "two addresses"):
            place = folder / str(round_)
            place.mkdir(exist_ok=True)
            one(checks_, place, template, behind)


checks.play(scenario)
