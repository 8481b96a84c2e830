"""Signed links against those who verify them. docs/signing.md is what an operator reads of it."""

import base64
import contextlib
import json
import os
import random
import socket
import subprocess
import time
import urllib.parse

import pytest

from balancer import BINARY, ROOT, SOAK, Balancer, patiently
from client import API
from cryptography.hazmat.primitives import serialization

from signed_cdns import ANSWER, KEY_NAME, KINDS, NEXT_SECRET, PRIVATE, SECRET, VERIFIERS, Asker, free_ports, nginx, private_key

# All kinds together get so many links; a soak gives each kind ten thousand.
LINKS = int(os.environ.get("SIGNED_LINKS", 10_000 * len(KINDS) if SOAK else 600)) // len(KINDS)
LIFE, SKEW = 3600, 60
ORDINARY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def catalog(cdns):
    return {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 0}, "cdns": cdns}


@contextlib.contextmanager
def balancer(folder, cdns, keys, *flags, **more):
    """A balancer with these CDNs and keys."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "keys"
    place.mkdir(mode=0o700)
    for name, text in keys.items():
        if isinstance(text, list):
            signing_key("create", name, *text, "--signing-keys", str(place))
            continue
        (place / name).write_text(text)
        (place / name).chmod(0o600)
    file = folder / "catalog.json"
    file.write_text(json.dumps(catalog(cdns) | more))
    balancer = Balancer(folder, "--signing-keys", str(place), "--workers", "1", *flags)
    balancer.keys = place
    balancer.command("catalog", "import", str(file))
    with balancer:
        yield balancer


def signing_key(*words, code=0):
    """What the command says."""
    done = subprocess.run([BINARY, "signing-key", *words], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def videos(count, seed):
    """Paths and queries of all kinds that a video may have."""
    generator = random.Random(seed)
    odd = "-._~!$'()*+,;:@[]|^=é日\u00a0"
    escapes = ["%20", "%25", "%2B", "%3F", "%23", "%C3%A9", "%e6%97%a5", "%41", "%7e", "%26"]

    def word(most):
        text = "".join(generator.choice(ORDINARY + odd) for _ in range(generator.randint(1, most)))
        if generator.random() < 0.4:
            text += generator.choice(escapes) + generator.choice(ORDINARY)
        # No segment of dots alone, which no URL of the balancer may have.
        return text + generator.choice(ORDINARY)

    for number in range(count):
        path = "/" + generator.choice(["/", "//"]).join(word(12) for _ in range(generator.randint(1, 6)))
        query = "&".join(f"{generator.choice(['v', 'V', 'w', 'video', 'vv'])}={word(8)}" for _ in range(generator.choice([0, 0, 1, 3])))
        yield f"http://s1.origin-cluster{path}{'?' + query if query else ''}"


def link(asker, video):
    status, location = asker.get("/?video=" + urllib.parse.quote(video, safe=""))
    assert status == 301, (status, video)
    parts = urllib.parse.urlsplit(location)
    return parts.netloc, location.removeprefix(f"http://{parts.netloc}")


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def changed(target, generator, is_covered, last):
    """The target with one byte changed of the token, the time or the path that it covers."""
    places = [index for index in range(len(target)) if is_covered(index) and target[index] in ORDINARY and "%" not in target[max(0, index - 2):index]]
    index = generator.choice(places)
    # The last of a digest's 22 characters has four bits that mean nothing: a change of those alone is none.
    # Nor is another case of a hexadecimal digit.
    block = ALPHABET.index(target[index]) // 16
    others = [each for each in ORDINARY if each.lower() != target[index].lower() and (index != last or ALPHABET.index(each) // 16 != block)]
    return target[:index] + generator.choice(others) + target[index + 1:]


def covered_places(kind, sign, target):
    """Which bytes of a target the digest protects, and where the digest's last character is."""
    path, question, query = target.partition("?")
    if kind == "directory in the path":
        return (lambda index: index < path.rindex("/")), 22
    if kind == "secure_link_secret":
        return (lambda index: 3 <= index), -1
    names = [sign.get("parameter", "md5"), sign.get("expiresParameter", "expires")]
    start = target.rindex(f"{names[0]}=")
    digest = start + len(names[0]) + 1
    expiry = target.rindex(f"{names[1]}=") + len(names[1]) + 1
    return (lambda index: index < len(path) or digest <= index < digest + 22 or index >= expiry), digest + 21


@pytest.mark.parametrize("kind", KINDS)
def test_nginx_takes_every_link_until_it_expires_and_none_with_a_byte_changed(tmp_path, kind):
    """secure_link of a real nginx, on random paths and queries: none refused, none accepted late, none accepted that was changed."""
    sign, prefix, server = KINDS[kind]
    server = server.replace("@", SECRET)
    [port, late_port] = free_ports(2)
    life = {} if sign["scheme"] == "nginx-secret" else {"life": LIFE}
    cdn = {"name": "a", "url": f"http://127.0.0.1:{port}{prefix}", "sign": {"key": "k"} | life | sign}
    generator = random.Random(1)
    refused, late, forged = [], [], []
    # A minute is allowed for clocks, and one is spent here at most.
    with balancer(tmp_path / "b", [cdn], {"k": SECRET}) as node, nginx(tmp_path / "now", {port: server}), \
            nginx(tmp_path / "later", {late_port: server}, later=LIFE + SKEW + 1):
        asker, cdn, late_cdn = Asker(node.listen), Asker(f"127.0.0.1:{port}"), Asker(f"127.0.0.1:{late_port}")
        for video in videos(LINKS, seed=kind):
            _, target = link(asker, video)
            status = cdn.get(target)[0]
            if status != 204:
                refused.append((status, video, target))
            if life and late_cdn.get(target)[0] == 204:
                late.append(target)
            is_covered, last = covered_places(kind, sign, target)
            other = changed(target, generator, is_covered, last)
            if cdn.get(other)[0] == 204:
                forged.append((target, other))
    assert (refused, late, forged) == ([], [], [])


@pytest.mark.parametrize("scheme", VERIFIERS)
def test_an_independent_verifier_takes_every_link_and_none_with_another_key_time_or_client(tmp_path, scheme):
    sign, verify = VERIFIERS[scheme]
    cdn = {"name": "a", "url": "http://cdn.example.com", "sign": {"key": "k", "life": LIFE} | sign}
    with balancer(tmp_path / "b", [cdn], {"k": SECRET}) as node:
        asker = Asker(node.listen)
        for video in videos(LINKS, seed=scheme):
            _, target = link(asker, video)
            now = int(time.time())
            assert verify(target, SECRET, now, "127.0.0.1"), target
            assert verify(target, SECRET, now + LIFE, "127.0.0.1"), target
            assert not verify(target, SECRET, now + LIFE + SKEW + 10, "127.0.0.1"), target
            assert not verify(target, NEXT_SECRET, now, "127.0.0.1"), target
            if sign.get("bindAddress") or scheme == "hmac":
                assert not verify(target, SECRET, now, "127.0.0.2"), target


@pytest.mark.parametrize("name", PRIVATE)
def test_botocore_and_cryptography_write_the_same_links_by_private_keys_or_verify_them(tmp_path, name):
    """RSA and Ed25519 make one signature of a text, so links are compared to the letter; one by ECDSA is verified."""
    sign, kind, check = PRIVATE[name]
    cdn = {"name": "a", "url": "http://cdn.example.com", "sign": {"key": "k", "life": LIFE} | sign}
    with balancer(tmp_path / "b", [cdn], {"k": ["--kind", kind, "--id", KEY_NAME], "other": ["--kind", kind]}) as node:
        asker = Asker(node.listen)
        key, other = private_key(node.keys / "k"), private_key(node.keys / "other")
        for video in videos(LINKS, seed=name):
            status, link = asker.get("/?video=" + urllib.parse.quote(video, safe=""))
            assert status == 301, (status, video)
            expires = check(link, key, "127.0.0.1", sign)
            now = int(time.time())
            assert expires and now + LIFE <= expires <= now + LIFE + SKEW + LIFE // 24 + 1, (link, expires)
            assert check(link, other, "127.0.0.1", sign) is None, link
            # A player that comes back with its link gets one for the same file.
            _, again = asker.get("/?video=" + urllib.parse.quote(link, safe=""))
            assert again.split("edge-cache-token=")[0].split("?")[0] == link.split("edge-cache-token=")[0].split("?")[0], (link, again)


def test_a_films_requests_find_their_signature_kept(tmp_path):
    """Playlists and segments of a film, by several viewers: 99 of 100 requests wait for nothing."""
    cdns = [{"name": "a", "url": "http://a.example.com", "sign": {"scheme": "cloudfront", "key": "k"}},
            {"name": "b", "url": "http://b.example.com", "sign": {"scheme": "media-cdn", "key": "l", "placement": "path"}}]
    keys = {"k": ["--kind", "rsa", "--id", "K1"], "l": ["--kind", "ed25519", "--id", "films"]}
    with balancer(tmp_path / "b", cdns, keys) as node, API(node.admin, node.token) as api:
        for viewer in range(4):
            asker = Asker(node.listen)
            for path in ["master.m3u8", *(f"v{quality}/{name}" for quality in range(2) for name in ["index.m3u8", *(f"{n}.ts" for n in range(300))])]:
                status, location = asker.get(f"/s1/film/{path}")
                assert status == 301 and ("Policy=" in location or "edge-cache-token=" in location)
        counts = {line.split('"')[1]: float(line.split()[-1]) for line in api.get("/metrics").text.splitlines()
                  if line.startswith("balancer_link_signatures_total{")}
        assert counts["refused"] == 0 and counts["hit"] + counts["miss"] == 4 * 603
        assert counts["hit"] / (counts["hit"] + counts["miss"]) >= 0.99, counts


def test_a_flood_of_films_that_nobody_watches_keeps_no_viewer_from_theirs(tmp_path):
    """Random directories, more than there is time to sign: they go to another CDN, and the film that is watched stays where it is."""
    cdns = [{"name": "a", "url": "http://a.example.com", "sign": {"scheme": "cloudfront", "key": "k"}}, {"name": "b", "url": "http://b.example.com"}]
    with balancer(tmp_path / "b", cdns, {"k": ["--kind", "rsa", "--id", "K1"]}, selection={"strategy": "ordered"}) as node, \
            API(node.admin, node.token) as api:
        viewer = Asker(node.listen)
        assert "Policy=" in viewer.get("/s1/film/0.ts")[1]
        requests = b"".join(f"GET /s1/{number}-{os.urandom(8).hex()}/a.ts HTTP/1.1\r\nHost: b\r\n\r\n".encode() for number in range(400))
        host, _, port = node.listen.rpartition(":")
        floods = [socket.create_connection((host.strip("[]"), int(port))) for _ in range(16)]
        for flood in floods:
            flood.sendall(requests)
        for number in range(300):
            status, location = viewer.get(f"/s1/film/{number}.ts")
            assert status == 301 and location.startswith("http://a.example.com/s1/film/"), (status, location)
        for flood in floods:
            flood.shutdown(socket.SHUT_WR)
            answers = b"".join(iter(lambda: flood.recv(1 << 20), b""))
            assert answers.count(b"HTTP/1.1 301 ") == 400, answers[:500]
        assert 'balancer_redirect_reasons_total{reason="signing-busy"}' in api.get("/metrics").text


def test_a_private_key_is_changed_at_its_second(tmp_path):
    cdns = [{"name": "a", "url": "http://a.example.com", "sign": {"scheme": "cloudfront", "key": "k"}}]
    with balancer(tmp_path / "b", cdns, {"k": ["--kind", "rsa", "--id", "K1"]}) as node:
        switches = int(time.time()) + 4
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(switches))
        said = signing_key("create", "k", "--next", text, "--id", "K2", "--signing-keys", str(node.keys))
        assert "BEGIN PUBLIC KEY" in said and "PRIVATE" not in said
        node.process.send_signal(1)
        asker = Asker(node.listen)
        seen = []
        while time.time() < switches + 2:
            before = int(time.time())
            status, location = asker.get("/s1/film/a.ts")
            assert status == 301
            if before == int(time.time()):
                seen.append((before >= switches, "Key-Pair-Id=K2" in location))
            time.sleep(0.05)
        assert set(seen) == {(False, False), (True, True)}


def test_all_that_names_targets_signs_them(tmp_path):
    """Location, Link, and the JSON answer's targets: nginx takes them all."""
    ports = free_ports(2)
    server = KINDS["file and address"][2].replace("@", SECRET)
    sign = {"key": "k"} | KINDS["file and address"][0]
    cdns = [{"name": f"cdn-{port}", "url": f"http://127.0.0.1:{port}", "sign": sign} for port in ports]
    with balancer(tmp_path / "b", cdns, {"k": SECRET}, redirect={"links": True}) as node, \
            nginx(tmp_path / "n", {port: server for port in ports}):
        connection = Asker(node.listen).connection
        connection.request("GET", "/?video=http://s1.origin-cluster/film/a.m3u8", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        document = json.loads(answer.read())
        urls = [answer.headers["location"], document["location"], *(target["location"] for target in document["targets"])]
        urls += [part.partition(">")[0].strip(" <") for part in answer.headers["link"].split(", ")]
        connection.request("GET", "/?redirect=false&video=http://s1.origin-cluster/film/a.m3u8")
        urls.append(json.loads(connection.getresponse().read())["location"])
        assert len(urls) == 6
        for url in urls:
            parts = urllib.parse.urlsplit(url)
            assert Asker(parts.netloc).get(url.removeprefix(f"http://{parts.netloc}"))[0] == 204, url


def test_a_cdn_without_its_key_is_left_out_until_the_key_comes(tmp_path):
    cdns = [{"name": "a", "url": "http://a.example.com", "sign": {"scheme": "akamai", "key": "absent"}}, {"name": "b", "url": "http://b.example.com"}]
    with balancer(tmp_path / "b", cdns, {"other": SECRET}) as node, API(node.admin, node.token) as api:
        asker = Asker(node.listen)
        assert {link(asker, "http://s1.origin-cluster/x")[0] for _ in range(10)} == {"b.example.com"}
        signing = api.get("/api/v1/status").json()["signing"]
        [left_out] = signing["leftOut"]
        assert left_out["target"] == "a" and 'no key "absent"' in left_out["reason"]
        assert 'balancer_target_signs{name="a"} 0' in api.get("/metrics").text
        steps = api.post("/api/v1/explain", json={"video": "http://s1.origin-cluster/x"}).json()["steps"]
        assert any("a: its links cannot be signed" in step["text"] for step in steps), steps
        assert any("links cannot be signed" in line["message"] for line in node.lines())
        (node.keys / "absent").write_text(SECRET)
        node.process.send_signal(1)
        assert patiently(lambda: {link(asker, "http://s1.origin-cluster/x")[0] for _ in range(4)} == {"a.example.com", "b.example.com"})
        assert api.get("/api/v1/status").json()["signing"]["leftOut"] == []
        assert 'balancer_target_signs{name="a"} 1' in api.get("/metrics").text


def test_no_output_has_a_key(tmp_path):
    """Database, dump, export, difference, state file, logs, metrics, status, explain, OpenAPI, commands: the keys are in none of them."""
    secrets = [SECRET, NEXT_SECRET, "another-secret-of-bunny"]
    cdns = [{"name": "a", "url": "http://a.example.com", "sign": {"scheme": "akamai", "key": "k"}},
            {"name": "b", "url": "http://b.example.com", "sign": {"scheme": "bunny", "key": "l"}},
            {"name": "c", "url": "http://c.example.com", "sign": {"scheme": "gcore", "key": "bad"}},
            {"name": "d", "url": "http://d.example.com", "sign": {"scheme": "cloudfront", "key": "rsa"}},
            {"name": "e", "url": "http://e.example.com", "sign": {"scheme": "cloudfront", "key": "ecdsa"}},
            {"name": "f", "url": "http://f.example.com", "sign": {"scheme": "media-cdn", "key": "ed25519"}}]
    private = {kind: ["--kind", kind, "--id", "K1"] for kind in ("rsa", "ecdsa", "ed25519")}
    keys = private | {"k": f"current {SECRET}\nnext {NEXT_SECRET}\nswitch 2099-01-01T00:00:00Z\n", "l": secrets[2], "bad": f"{SECRET} {NEXT_SECRET} x"}
    outputs = {}
    log = tmp_path / "access.log"
    with balancer(tmp_path / "b", cdns, keys, "--access-log", str(log), "--log-level", "trace") as node, API(node.admin, node.token) as api:
        (node.keys / "k").chmod(0o644)
        node.process.send_signal(1)
        asker = Asker(node.listen)
        for number in range(50):
            outputs[f"link {number}"] = link(asker, f"http://s1.origin-cluster/{number}")[1]
        assert patiently(lambda: any("chmod 600" in line["message"] for line in node.lines()))
        for path in ["/api/v1/status", "/api/v1/catalog", "/api/v1/revisions", "/api/v1/cdns", "/metrics", "/openapi.json", "/api/v1/traffic"]:
            outputs[path] = api.get(path).text
        outputs["explain"] = api.post("/api/v1/explain", json={"video": "http://s1.origin-cluster/x"}).text
        # A key of a CDN is changed, so that there is a difference to show.
        assert api.write("PATCH", "/api/v1/cdns/a", {"weight": 7}).is_success
        revision = api.revision()
        outputs["difference"] = api.get(f"/api/v1/revisions/{revision}/diff").text
        time.sleep(1.5)
        outputs["create"] = signing_key("create", "rsa", "--next", "2099-01-01T00:00:00Z", "--signing-keys", str(node.keys))
        node.process.send_signal(1)
        # The next key has no name yet.
        assert patiently(lambda: any("needs a line" in line["message"] for line in node.lines()))
        for words in [("catalog", "export"), ("key", "list"), ("explain", "http://s1.origin-cluster/x", "--signing-keys", str(node.keys)),
                      ("explain", "http://s1.origin-cluster/x", "--show-token", "--signing-keys", str(node.keys))]:
            outputs[" ".join(words)] = node.command(*words)
    environment = {"PATH": os.environ["PATH"]}
    for words in [("list",), ("list", "--public"), ("check",), ("check", str(tmp_path / "b/catalog.json"))]:
        done = subprocess.run([BINARY, "signing-key", *words, "--signing-keys", node.keys], env=environment, capture_output=True, text=True)
        outputs["signing-key " + " ".join(words)] = done.stdout + done.stderr
        assert done.returncode == (0 if words[0] == "list" else 78), done
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.parent != node.keys:
            outputs[str(file)] = file.read_bytes().decode("latin-1")
    assert any(name.endswith(".state") for name in outputs) and any(name.endswith(".db") for name in outputs)
    forbidden = [*secrets, *(bytes.fromhex(each).decode("latin-1") for each in secrets[:2])]
    for kind in private:
        # What stands between the lines BEGIN and END, and the numbers that make the key, as bytes and as digits.
        forbidden += [line for line in (node.keys / kind).read_text().splitlines() if len(line) == 64 or kind != "rsa" and len(line) > 40 and " " not in line]
        key = private_key(node.keys / kind)
        if kind == "ed25519":
            numbers = [key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())]
        else:
            found = key.private_numbers()
            numbers = [each.to_bytes((each.bit_length() + 7) // 8, "big") for each in ([found.p, found.q, found.d] if kind == "rsa" else [found.private_value])]
        for number in numbers:
            forbidden += [number.decode("latin-1"), number.hex(), base64.b64encode(number).decode().rstrip("=")]
    assert len(forbidden) > 30
    assert any("PUBLIC KEY" in text for text in outputs.values())
    found = [(name, each) for name, text in outputs.items() for each in forbidden if each in text]
    assert found == []
    # The grep can find something.
    assert any(SECRET in file.read_text() for file in node.keys.iterdir())


@contextlib.contextmanager
def stream(folder, kind):
    """HLS in pieces of a second: a film of eight, or a live stream, with its media playlist in a folder below the master's."""
    (folder / "v").mkdir(parents=True)
    live = ["-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file"]
    film = ["-t", "8", "-hls_list_size", "0"]
    process = subprocess.Popen(
        ["ffmpeg", "-loglevel", "error", *(["-re"] if kind == "live" else []), "-f", "lavfi", "-i", "testsrc=size=128x72:rate=10", "-c:v",
         "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", *(live if kind == "live" else film), "-f", "hls", "-hls_time",
         "1", "-hls_segment_filename", f"{folder}/v/%d.ts", f"{folder}/v/index.m3u8"], stdin=subprocess.DEVNULL)
    try:
        index = folder / "v/index.m3u8"
        assert patiently(lambda: process.poll() == 0 or index.exists() and index.read_text().count("#EXTINF") >= 4, seconds=60)
        (folder / "master.m3u8").write_text(
            '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.42c00a",RESOLUTION=128x72\nv/index.m3u8\n')
        yield
    finally:
        process.kill()
        process.wait()


PAGE = """<!doctype html><video muted autoplay></video><script type="module">
    const { Hls } = await import("/hls.js");
    const hls = new Hls();
    window.faults = [];
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && faults.push(data.details));
    hls.loadSource(new URLSearchParams(location.search).get("play"));
    hls.attachMedia(document.querySelector("video"));
</script>"""


def players():
    """Commands of players that end by themselves, by how their user agents begin. VLC refuses to be root."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent"] if os.geteuid() == 0 else []
    return {
        "Lavf": ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-t", "7", "-i", "@", "-f", "null", "-"],
        "libmpv": ["mpv", "--no-config", "--vo=null", "--ao=null", "--input-terminal=no", "--length=7", "@"],
        "VLC": [*nobody, "vlc", "-I", "dummy", "--vout=dummy", "--aout=adummy", "--run-time=7", "--play-and-exit", "@", "vlc://quit"],
    }


@pytest.mark.parametrize("kind", ["film", "live"])
def test_players_see_no_refusal_across_the_rotation_of_a_key(tmp_path, browser, kind):
    """nginx with secure_link on every segment accepts two keys; the balancer takes the next one while players play, and others begin after it."""
    subprocess.run([ROOT / "scripts/fetch-hls"], check=True)
    [port, inner, pages] = free_ports(3)
    # As docs/signing.md has it: who has not the one key is asked for the other.
    check = 'secure_link $st,$se; secure_link_md5 "$secure_link_expires$covered @";'
    place = r'location ~ "^/(?<st>[\w-]{22})/(?<se>\d+)(?<covered>/s1/[^/]+/)(?<rest>.*)$"'
    end = f"{ANSWER} root {tmp_path}/film; rewrite ^ $covered$rest break;"
    cors = "add_header Access-Control-Allow-Origin *;"
    outer = f"""{place} {{ {cors} {check.replace("@", SECRET)} error_page 403 = @next; {end} }}
        location @next {{ proxy_pass http://127.0.0.1:{inner}; }}"""
    sign = {"scheme": "nginx", "key": "k", "expression": "$secure_link_expires$directory $secret", "placement": "path"}
    cdn = {"name": "a", "url": f"http://127.0.0.1:{port}", "sign": sign}
    site = f"location = /hls.js {{ default_type text/javascript; alias {ROOT}/.build/players/hls.js; }} location = /page.html {{ default_type text/html; root {tmp_path}; }}"
    servers = {port: outer, inner: f'{place} {{ {cors} {check.replace("@", NEXT_SECRET)} {end} }}', pages: site}
    (tmp_path / "page.html").write_text(PAGE)
    with stream(tmp_path / f"film/s1/{kind}", kind), nginx(tmp_path / "n", servers) as folder:
        switches = int(time.time()) + 7
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(switches))
        with balancer(tmp_path / "b", [cdn], {"k": f"current {SECRET}\nnext {NEXT_SECRET}\nswitch {text}\n"}) as node:
            link = f"http://{node.listen}/s1/{kind}/master.m3u8"

            def begin():
                viewers = {}
                for name, command in players().items():
                    log = (tmp_path / f"{name}-{time.monotonic_ns()}.log").open("w+")
                    viewers[name] = log, subprocess.Popen([link if word == "@" else word for word in command], stdout=log, stderr=log,
                                                          stdin=subprocess.DEVNULL, cwd=tmp_path)
                page = browser.new_page()
                page.goto(f"http://127.0.0.1:{pages}/page.html?play={link}")
                return viewers, page

            def finish(viewers, page):
                for name, (log, process) in viewers.items():
                    assert process.wait(timeout=60) == 0, f"{name}: {(log.seek(0), log.read())[1]}"
                page.wait_for_function("document.querySelector('video').currentTime > 5", timeout=60_000)
                assert page.evaluate("faults") == []
                page.close()

            before = begin()
            assert time.time() < switches, "the machine is too slow for this test"
            time.sleep(max(0, switches - time.time() + 0.5))
            after = begin()
            finish(*before)
            finish(*after)
        lines = [line.split() for line in (folder / "access.log").read_text().splitlines()]
        agents = [line.split(" ", 2) for line in (folder / "agents.log").read_text().splitlines()]
    refused = [line for line in lines if line[1] in ("403", "410")]
    assert refused == []
    segments = [request for server, status, request in lines if server == str(port) and request.endswith(".ts") and status in ("200", "206")]
    assert len(segments) > 20
    for player in [*players(), "Mozilla"]:
        played = [uri for status, uri, agent in agents if agent.startswith(player) and uri.endswith(".ts") and status in ("200", "206")]
        assert len(played) > 5, f"{player}: {played}"
    # Both keys were in use, for playlists and segments.
    assert any(server == str(inner) and request.endswith(".ts") for server, _, request in lines)


def test_the_folder_of_keys_is_made_listed_and_checked_by_command(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    environment = {"PATH": os.environ["PATH"], "BALANCER_SIGNING_KEYS": str(keys)}

    def run(*words, code=0):
        done = subprocess.run([BINARY, "signing-key", *words], env=environment, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == code, done
        return done.stdout + done.stderr

    made = run("create", "cdn-a")
    secret = (keys / "cdn-a").read_text().removeprefix("current ").strip()
    assert len(secret) == 32 and secret not in made and (keys / "cdn-a").stat().st_mode & 0o777 == 0o600
    assert "there already" in run("create", "cdn-a", code=78)
    fingerprint = made.split("fingerprint ")[1].strip()
    assert fingerprint in run("list")
    assert "takes over at 2099-01-01T00:00:00Z" in run("create", "cdn-a", "--next", "2099-01-01T00:00:00Z")
    assert (keys / "cdn-a").read_text().startswith(f"current {secret}\nnext ")
    assert "from 2099-01-01T00:00:00Z" in run("list")
    assert "has not taken over yet" in run("create", "cdn-a", "--next", "2099-02-01T00:00:00Z", code=78)
    assert "like 2026" in run("create", "cdn-a", "--next", "soon", code=78)
    # A next key that has taken over is the current one when another is added.
    taken = [line.split()[1] for line in (keys / "cdn-a").read_text().splitlines() if line.startswith("next")][0]
    (keys / "cdn-a").write_text(f"current {secret}\nnext {taken}\nswitch 2020-01-01T00:00:00Z\n")
    run("create", "cdn-a", "--next", "2099-01-01T00:00:00Z")
    assert (keys / "cdn-a").read_text().startswith(f"current {taken}\nnext ")
    assert "good; keys: 1" in run("check")
    (keys / "cdn-b").write_text("short")
    (keys / "cdn-b").chmod(0o644)
    (tmp_path / "catalog.json").write_text(json.dumps(catalog([
        {"name": "b", "url": "http://b", "sign": {"scheme": "bunny", "key": "cdn-b", "life": 60}}])))
    said = run("check", "catalog.json", code=78)
    assert "fewer than 16" in said and "chmod 600" in said and "less than a film" in said and "short" not in said.replace("shorter", "")
    assert "no hidden" not in run("create", ".x", code=78)
    for kind, scheme in [("rsa", "cloudfront"), ("ecdsa", "cloudfront"), ("ed25519", "media-cdn")]:
        made = run("create", kind, "--kind", kind)
        assert "BEGIN PUBLIC KEY" in made and "PRIVATE" not in made and (keys / kind).stat().st_mode & 0o777 == 0o600
        public = private_key(keys / kind).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode().strip()
        assert pem in made and pem in run("list", "--public")
        if kind == "ed25519":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            assert base64.urlsafe_b64encode(raw).decode() in made
        (tmp_path / "catalog.json").write_text(json.dumps(catalog([{"name": "c", "url": "http://c", "sign": {"scheme": scheme, "key": kind}}])))
        assert 'no line "id NAME"' in run("check", "catalog.json", code=78)
        (keys / kind).write_text((keys / kind).read_text().replace("# write", "id K1\n# write"))
        assert "signed targets: 1" in run("check", "catalog.json")
        assert f"({kind}, id K1)" in run("list")
    assert "private keys" in run("create", "text", "--id", "K1", code=78)
    environment.pop("BALANCER_SIGNING_KEYS")
    assert "--signing-keys" in run("list", code=78)
