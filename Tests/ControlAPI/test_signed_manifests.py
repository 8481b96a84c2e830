"""Manifests that are served for CDNs that answer none without a token: nginx checks each file of a film and of a live stream."""

import contextlib
import re
import subprocess
import time
import urllib.request

import pytest

from balancer import BINARY, SOAK
from client import API
from signed_cdns import ANSWER, NEXT_SECRET, SECRET, free_ports, nginx
from test_signed_links import balancer, stream

FOLDER = r'location ~ "^/(?<st>[\w-]{22})/(?<se>\d+)(?<covered>/s1/[^/]+/)(?<rest>.*)$"'
# Kinds of tokens: what `sign` says of it, the location, and what secure_link sees and signs, with @ for the secret.
KINDS = {
    "folder in the path": (
        {"scheme": "nginx", "expression": "$secure_link_expires$directory $secret", "placement": "path"}, FOLDER, "$st,$se",
        "$secure_link_expires$covered @", "rewrite ^ $covered$rest break;"),
    "folder in the query": (
        {"scheme": "gcore", "covers": "directory"}, r'location ~ "^(?<covered>/.*/)[^/]*$"', "$arg_md5,$arg_expires",
        "$secure_link_expires$covered @", ""),
    "file and address in the query": (
        {"scheme": "nginx", "expression": "$secure_link_expires$uri$remote_addr $secret"}, "location /", "$arg_md5,$arg_expires",
        "$secure_link_expires$uri$remote_addr @", ""),
}
CASES = [
    ("folder in the path", "playlist"), ("folder in the path", "links"), ("folder in the path", "both"), ("folder in the query", "links"),
    ("file and address in the query", "links"),
]


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.status, answer.read().decode("latin-1"), answer.geturl()


@contextlib.contextmanager
def signed(tmp_path, kind, delivery, film, rotates_in):
    """A balancer and an nginx that takes two keys, one after the other; and where nginx logs."""
    sign, place, arguments, expression, rewrite = KINDS[kind]
    [port, inner, plain] = free_ports(3)

    def check(secret):
        return f'secure_link {arguments}; secure_link_md5 "{expression.replace("@", secret)}";'

    end = f"{ANSWER} root {tmp_path}/film; {rewrite}"
    # The inner one is behind the outer one, which says whose address it was.
    real = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;"
    servers = {
        port: f"""{place} {{ {check(SECRET)} error_page 403 = @next; {end} }}
            location @next {{ proxy_set_header X-Real-IP $remote_addr; proxy_pass http://127.0.0.1:{inner}; }}""",
        inner: f"{real} {place} {{ {check(NEXT_SECRET)} {end} }}", plain: f"root {tmp_path}/film;",
    }
    cdns = [{"name": "a", "url": f"http://127.0.0.1:{port}", "sign": {"key": "k"} | sign}]
    # No balancer can use a token for the viewer's address: it asks another target.
    if "address" in kind:
        cdns.append({"name": "b", "url": f"http://127.0.0.1:{plain}", "weight": 1})
    rules = [{"name": "fetch", "when": {"paths": ["/film/", "/live/"]}, "selection": {"strategy": "ordered"}}]
    switches = int(time.time()) + rotates_in
    key = f"current {SECRET}\nnext {NEXT_SECRET}\nswitch {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(switches))}\n"
    steering = {"enabled": True}
    with stream(tmp_path / f"film/s1/{film}", film), nginx(tmp_path / "n", servers) as folder, balancer(
        tmp_path / "b", cdns, {"k": key}, steering=steering, delivery=delivery, rules=rules
    ) as node:
        yield node, folder, {"outer": str(port), "inner": str(inner), "plain": str(plain), "switches": switches}


def play(link, tmp_path, name):
    log = (tmp_path / f"{name}.log").open("w+")
    command = ["ffmpeg", "-nostdin", "-loglevel", "repeat+error", "-re", "-t", "7", "-i", link, "-f", "null", "-"]
    return log, subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("film", ["film", "live"])
@pytest.mark.parametrize("kind, delivery", CASES)
def test_no_segment_is_refused_while_a_key_changes(tmp_path, kind, delivery, film):
    if film == "film" and (kind, delivery) != CASES[0] and not SOAK:
        pytest.skip("the first of films stands for all of them; SOAK=1")
    with signed(tmp_path, kind, delivery, film, rotates_in=4) as (node, folder, place):
        link = f"http://{node.listen}/s1/{film}/master.m3u8"
        before = play(link, tmp_path, "before")
        time.sleep(max(0, place["switches"] - time.time() + 0.5))
        after = play(link, tmp_path, "after")
        for log, process in (before, after):
            assert process.wait(timeout=60) == 0, (log.seek(0), log.read())
            # ffmpeg says so when a link leads to another host than the playlist before it.
            said = [line for line in (log.seek(0), log.read())[1].splitlines() if "Cannot reuse HTTP connection" not in line]
            assert said == []
        lines = [line.split() for line in (folder / "access.log").read_text().splitlines()]
        with API(node.admin, node.token) as api:
            metrics = api.get("/metrics").text
    assert [line for line in lines if line[1] in ("403", "410")] == []
    segments = [(server, request) for server, status, request in lines if ".ts" in request and status in ("200", "206")]
    assert len([server for server, _ in segments if server == place["outer"]]) >= 12, lines
    # Both keys were in use, for segments.
    assert any(server == place["inner"] for server, _ in segments), lines
    assert not any(server == place["plain"] for server, _ in segments)
    assert re.search(r'balancer_manifests_total\{target="cdn",cdn="a"\} 2', metrics), metrics
    served = float(re.search(r"^balancer_media_playlists_total (\d+)", metrics, re.M).group(1))
    assert (served > 0) == ("query" in kind)
    assert not re.search(r"^balancer_manifests_redirected_total\{.*\} [1-9]", metrics, re.M), metrics


def test_what_a_token_cannot_do_is_redirected_and_told(tmp_path):
    with signed(tmp_path, "file and address in the query", "playlist", "film", rotates_in=3600) as (node, _, place):
        status, body, url = get(f"http://{node.listen}/s1/film/master.m3u8")
        assert status == 200 and f":{place['outer']}/s1/film/master.m3u8?md5=" in url and "STEERING" not in body
        with API(node.admin, node.token) as api:
            told = api.post("/api/v1/explain", json={"video": "/s1/film/master.m3u8"}).json()
            assert told["delivery"] == {"way": "playlist", "obstacle": "signed-file", "session": None, "pathways": []}
            assert any(step["about"] == "deliver" and "good for one file" in step["text"] for step in told["steps"])
            assert 'balancer_manifests_redirected_total{reason="signed-file"} 1' in api.get("/metrics").text
    checked = subprocess.run([BINARY, "check", tmp_path / "b/catalog.json"], capture_output=True, text=True)
    assert checked.returncode == 0 and "(signed-file)" in checked.stderr, checked


def test_a_session_goes_on_after_a_restart_and_after_its_cdn_has_left_the_catalog(tmp_path):
    with signed(tmp_path, "folder in the query", "links", "film", rotates_in=3600) as (node, _, place):
        _, body, _ = get(f"http://{node.listen}/s1/film/master.m3u8")
        [link] = [line for line in body.splitlines() if line.startswith("/session/")]
        _, before, _ = get(f"http://{node.listen}{link}")
        assert f"http://127.0.0.1:{place['outer']}/s1/film/v/0.ts?md5=" in before
        node.stop()
        node.start()
        _, after, _ = get(f"http://{node.listen}{link}")
        assert re.sub(r"md5=.*", "", after) == re.sub(r"md5=.*", "", before)
        with API(node.admin, node.token) as api:
            catalog = api.get("/api/v1/catalog").json()
            catalog["cdns"] = [{"name": "z", "url": f"http://127.0.0.1:{place['plain']}"}]
            api.done("PUT", "/api/v1/catalog", catalog)
        _, body, url = get(f"http://{node.listen}{link}")
        assert url == f"http://127.0.0.1:{place['plain']}/s1/film/v/index.m3u8" and body.startswith("#EXTM3U")


def test_the_links_of_one_balancer_lead_to_the_same_place_at_another(tmp_path):
    """The fleet shares a catalog and nothing else of a session: its links say all."""
    with signed(tmp_path / "one", "folder in the query", "links", "film", rotates_in=3600) as (node, _, place):
        _, body, _ = get(f"http://{node.listen}/s1/film/master.m3u8")
        [link] = [line for line in body.splitlines() if line.startswith("/session/")]
        cdns = [{"name": "a", "url": f"http://127.0.0.1:{place['outer']}", "sign": {"key": "k"} | KINDS["folder in the query"][0]}]
        with balancer(tmp_path / "two", cdns, {"k": SECRET}, steering={"enabled": True}, delivery="links") as other:
            bodies = [get(f"http://{each.listen}{link}")[1] for each in (node, other)]
        assert re.sub(r"\?.*", "", bodies[0]) == re.sub(r"\?.*", "", bodies[1])
        for body in bodies:
            [first, *_] = [line for line in body.splitlines() if line.startswith("http")]
            assert get(first)[0] == 200
