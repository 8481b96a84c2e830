"""The access log and the limit of requests by client, in the running program."""

import json
import signal
import socket
import subprocess

from balancer import BINARY, Balancer, patiently
from client import API


def answers(balancer, count, path="/s1/video/x.m3u8"):
    """The statuses of requests on one connection."""
    host, port = balancer.listen.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as client:
        stream = client.makefile("rb")
        statuses = []
        for _ in range(count):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: b\r\n\r\n".encode())
            statuses.append(int(stream.readline().split()[1]))
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            stream.read(length)
        return statuses


def metric(balancer, name):
    with API(balancer.admin, balancer.token) as api:
        text = api.get("/metrics").text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


def test_every_answer_has_a_line_which_simulate_plays(tmp_path):
    with Balancer(tmp_path, "--access-log", "access.log") as balancer:
        assert answers(balancer, 100) == [301] * 100
        log = tmp_path / "access.log"
        assert patiently(lambda: log.read_bytes().count(b"\n") == 100)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [line["sequence"] for line in lines] == list(range(1, 101))
        assert {line["client"] for line in lines} == {"127.0.0.1"}
        assert sum(line["target"] == "origin" for line in lines) == 10
        # A rotation: lines go to a new file.
        log.rename(tmp_path / "access.log.1")
        balancer.process.send_signal(signal.SIGHUP)
        assert patiently(log.exists)
        answers(balancer, 1, "/s2/last")
        exported = balancer.command("catalog", "export")
        (tmp_path / "catalog.json").write_text(exported)
    # The last lines are written before the end.
    assert json.loads(log.read_text())["request"] == "GET /s2/last"
    assert (tmp_path / "access.log").stat().st_mode & 0o777 == 0o600
    played = subprocess.run([BINARY, "simulate", "catalog.json", "--log", "access.log.1"], cwd=tmp_path, capture_output=True, text=True)
    assert played.returncode == 0 and "100" in played.stdout, played


def test_a_full_disk_costs_lines_which_are_counted_and_no_redirect(tmp_path):
    with Balancer(tmp_path, "--access-log", "/dev/full") as balancer:
        assert answers(balancer, 3000) == [301] * 3000
        assert patiently(lambda: metric(balancer, "balancer_access_log_dropped_lines_total") == 3000)
        assert metric(balancer, "balancer_access_log_lines_total") == 0
        said = [line["message"] for line in balancer.lines() if "access log" in line["message"]]
        assert len(said) == 1 and "No space left on device" in said[0], said


def test_a_client_beyond_the_rate_gets_429_on_the_wire_and_others_do_not(tmp_path):
    with Balancer(tmp_path, "--client-rate", "1", "--client-burst", "20", "--workers", "2") as balancer:
        # Over several connections and so over both workers.
        statuses = [status for _ in range(8) for status in answers(balancer, 5)]
        assert statuses[:20] == [301] * 20
        assert 18 <= statuses.count(429) <= 20, statuses
        assert answers(balancer, 3, "/livez") == [200] * 3
        assert metric(balancer, "balancer_refusals_total") == statuses.count(429)
