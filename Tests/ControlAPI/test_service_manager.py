"""Under a service manager: sockets that it passes and keeps (sd_listen_fds(3)), and what it is told (sd_notify(3))."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from balancer import BINARY, Balancer, patiently


class Activated(Balancer):
    """A balancer that is given these sockets, as systemd gives them: from descriptor 3 on, with the count and the process's id."""

    def __init__(self, folder, sockets, *flags, **environment):
        super().__init__(folder, *flags, LISTEN_FDS=str(len(sockets)), **environment)
        self.sockets = sockets

    def _run(self, command, **options):
        # The shell becomes the balancer, so its id is known before; it moves the descriptors to their places.
        given = [os.dup(each.fileno()) for each in self.sockets]
        high = [os.dup2(number, 100 + index) for index, number in enumerate(given)]
        moves = "; ".join(f"exec {3 + index}<&{number} {number}<&-" for index, number in enumerate(high))
        try:
            return subprocess.Popen(["bash", "-c", f'{moves}; LISTEN_PID=$$ exec "$0" "$@"', *command], pass_fds=high, **options)
        finally:
            for number in given + high:
                os.close(number)

    def restart(self):
        self.stop()
        cut = [line["connectionsCut"] for line in self.lines() if line["message"] == "stopped"]
        assert cut == ["0"], f"{cut} connections were cut"
        self.start()


def listening(share=False, port=0):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    made.listen(4096)
    return made


@contextlib.contextmanager
def load(port, *words):
    """wrk for as long as it takes; what it printed is in the list afterwards."""
    printed = []
    process = subprocess.Popen(
        ["wrk", "-d", "600s", *words, f"http://127.0.0.1:{port}/s1/video/x.m3u8"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        printed.append(process.communicate(timeout=30)[0])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", [1, 2])
def test_twenty_restarts_under_load_refuse_reset_and_cut_nothing(tmp_path, count):
    """One socket for two workers, or one for each."""
    sockets = [listening(share=count > 1)]
    port = sockets[0].getsockname()[1]
    sockets += [listening(share=True, port=port) for _ in range(count - 1)]
    with Activated(tmp_path, sockets, "--workers", "2", "--drain-timeout", "10") as balancer:
        assert balancer.listen == f"127.0.0.1:{port}"
        with load(port, "-t1", "-c256") as kept, load(port, "-t1", "-c16", "-H", "Connection: close") as single:
            for _ in range(20 if count == 1 else 3):
                time.sleep(0.3)
                balancer.restart()
            time.sleep(0.3)
    for printed in kept + single:
        assert "Socket errors" not in printed and "Non-2xx" not in printed, printed
        requests = int(re.search(r"(\d+) requests in", printed)[1])
        assert requests > 1000, printed
        print(f"{requests} requests, no error")
    for each in sockets:
        each.close()


def test_a_connection_that_comes_while_nothing_runs_is_answered_by_the_next(tmp_path):
    with listening() as made:
        balancer = Activated(tmp_path, [made]).start()
        balancer.stop()
        with socket.create_connection(made.getsockname()) as client:
            client.sendall(b"GET /s1/x HTTP/1.1\r\nHost: b\r\n\r\n")
            balancer.start()
            client.settimeout(10)
            assert client.recv(4096).startswith(b"HTTP/1.1 301 ")
        balancer.stop()


@pytest.mark.parametrize("kind", ["datagram", "not listening", "file", "too many"])
def test_what_is_no_listening_socket_is_refused_by_its_number(tmp_path, kind):
    with contextlib.ExitStack() as stack:
        if kind == "file":
            given = stack.enter_context(open("/dev/null", "rb"))
        else:
            given = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM))
        balancer = Activated(tmp_path, [given])
        if kind == "too many":
            balancer.environment["LISTEN_FDS"] = "1000000000000"
        with pytest.raises(AssertionError):
            balancer.start()
        said = balancer.log.read_text()
        assert ("LISTEN_FDS must be a number" if kind == "too many" else "descriptor 3 of LISTEN_FDS") in said
        assert balancer.process.returncode not in (0, None) and balancer.process.returncode > 0, "a crash is no answer"


def test_what_was_meant_for_another_process_is_passed_over(tmp_path):
    with Balancer(tmp_path, LISTEN_FDS="1", LISTEN_PID="1") as balancer:
        assert balancer.listen.startswith("127.0.0.1:")


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told_of_start_reload_life_and_stop(tmp_path, abstract):
    name = f"balancer-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if abstract else name)
        manager.settimeout(10)

        def next_that_says(word):
            while word not in (told := manager.recv(4096).decode().split("\n")[0]):
                assert told == "WATCHDOG=1", told
            return told

        path = "@" + name if abstract else name
        with Balancer(tmp_path, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000") as balancer:
            next_that_says("READY=1")
            for _ in range(3):
                next_that_says("WATCHDOG=1")
            balancer.process.send_signal(signal.SIGHUP)
            next_that_says("RELOADING=1")
            next_that_says("READY=1")
            balancer.begin_stopping()
            next_that_says("STOPPING=1")


def test_a_service_manager_that_is_gone_is_no_reason_to_stop(tmp_path):
    with Balancer(tmp_path, NOTIFY_SOCKET=str(tmp_path / "nobody")) as balancer:
        assert patiently(lambda: any("cannot be told" in line["message"] for line in balancer.lines()))
        assert balancer.process.poll() is None
