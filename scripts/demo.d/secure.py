"""Players by HTTPS. The certificates are of an authority that the demo makes, and each player is told by its own means to trust it."""

import base64
import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import time

from testbed import CDNS, VIDEO, DemoError, environment, stop, tool, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 4  # of the film


@dataclasses.dataclass(frozen=True)
class Kind:
    """One player: the words of its command, with what stands for the authority and the film in braces."""

    name: str
    trust: str  # how it is made to, and what it cannot do
    words: list[str]
    agent: str = ""  # how its user agent begins, when it cannot be given one

    def seen(self, arrivals):
        """Its segments, by TLS."""
        agent = self.agent or f"demo-{self.name}"
        return [each for each in arrivals if each.agent.startswith(agent) and each.uri.endswith(".ts") and each.tls.startswith("TLS")]


KINDS = [
    Kind("curl", "--cacert", ["{curl}", "-sS", "--fail", "--location", "--cacert", "{authority}", "{link}"]),
    Kind("ffmpeg", "-tls_verify 1 -ca_file for what it is given; by default, and inside of playlists, nothing is checked", [
        "{ffmpeg}", "-v", "error", "-nostdin", "-user_agent", "demo-ffmpeg", "-tls_verify", "1", "-ca_file", "{authority}", "-re", "-i", "{link}",
        "-t", str(SECONDS), "-c", "copy", "-f", "null", "-"]),
    Kind("mpv", "--tls-verify --tls-ca-file; by default nothing is checked", [
        "{mpv}", "--no-config", "--vo=null", "--ao=null", "--input-terminal=no", "--msg-level=all=warn", "--user-agent=demo-mpv",
        "--tls-verify=yes", "--tls-ca-file={authority}", f"--length={SECONDS}", "{link}"]),
    Kind("VLC", "--gnutls-dir-trust", [
        "{vlc}", "-I", "dummy", "--vout=dummy", "--aout=adummy", "--gnutls-dir-trust={trust}", f"--run-time={SECONDS}", "--play-and-exit",
        "{link}", "vlc://quit"], agent="VLC/"),
    Kind("streamlink", "REQUESTS_CA_BUNDLE; it has no option", [
        f"{ROOT}/.build/venv-players/bin/streamlink", "--http-header", "User-Agent=demo-streamlink", "--hls-duration", str(SECONDS), "--force",
        "-o", "streamlink.ts", "{link}", "best"]),
    Kind("hls.js", "Chromium's --ignore-certificate-errors-spki-list; it takes authorities from the system", [
        "{chromium}", "--headless=new", "--disable-gpu", "--user-data-dir=chromium", "--autoplay-policy=no-user-gesture-required",
        "--user-agent=demo-hls.js", "--ignore-certificate-errors-spki-list={pin}", "https://{page}/page.html?{link}"]),
]


def make_certificates(folder):
    """An authority, and what it issues for this machine: `server.pem` with `server.key`."""

    def openssl(*words):
        subprocess.run([tool("openssl"), *words], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"]
    openssl("req", "-x509", *key, "authority.key", "-days", "2", "-subj", "/CN=authority of the demo", "-out", "authority.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    openssl("req", *key, "server.key", "-subj", "/CN=localhost", "-addext", names, "-out", "server.request")
    issue = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy"]
    openssl("x509", "-req", "-in", "server.request", *issue, "-out", "leaf.pem")
    (folder / "server.pem").write_text((folder / "leaf.pem").read_text() + (folder / "authority.pem").read_text())
    (folder / "trust").mkdir()
    (folder / "trust/authority.pem").write_text((folder / "authority.pem").read_text())


def pin(folder):
    """The hash of the authority's public key, as Chromium wants it."""
    asked = ["x509", "-in", "authority.pem", "-noout", "-pubkey"]
    public = subprocess.run([tool("openssl"), *asked], cwd=folder, check=True, capture_output=True, text=True).stdout
    der = base64.b64decode("".join(public.splitlines()[1:-1]))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def catalog(testbed, policy):
    """Everything goes to CDNs by HTTPS: the demo's origins have none."""
    document = policy.catalog(testbed)
    document["origin"]["every"] = 0
    for cdn in document["cdns"]:
        cdn |= {"enabled": True, "httpsUrl": f"https://{testbed.address(cdn['name'] + ' by TLS')}"}
    return document


def start(testbed, kind):
    words = {name: tool(name) for name in ("curl", "ffmpeg", "mpv", "chromium") if "{" + name + "}" in kind.words}
    folder, settings = testbed.folder, {}
    if kind.name == "VLC":
        words["vlc"] = tool("vlc", "vlc-bin")
        (folder / "vlc").mkdir()
        settings["HOME"] = str(folder / "vlc")
    if kind.name == "streamlink":
        settings["REQUESTS_CA_BUNDLE"] = str(folder / "authority.pem")
    words |= {
        "authority": folder / "authority.pem", "trust": folder / "trust", "pin": pin(folder), "page": testbed.address("page"),
        "link": f"https://{testbed.address('balancer by TLS')}/s1{VIDEO}?player={kind.name}",
    }
    command = [word.format(**words) for word in kind.words]
    if os.geteuid() == 0 and kind.name == "hls.js":
        command.insert(1, "--no-sandbox")
    if os.geteuid() == 0 and kind.name == "VLC":
        # VLC refuses to be root, and nobody must be able to reach its folder.
        folder.chmod(0o711)
        (folder / "vlc").chmod(0o777)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    log = testbed.log(kind.name).open("wb")
    return testbed.launch(command, stdout=log, stderr=log, env=environment(**settings))


def asked(testbed, kind):
    """How the player came, by the balancer's access log; nothing before it has."""
    lines = map(json.loads, (testbed.folder / "access.log").read_text().splitlines())
    ours = [line for line in lines if line["request"].endswith(f"?player={kind.name}") and "tls" in line]
    if not ours:
        return ""
    return f"{'HTTP/2' if ours[-1].get('protocol') == 'h2' else 'HTTP/1.1'}, TLS {ours[-1]['tls']}"


def judge(testbed, kind, process, arrivals):
    """What is wrong, if anything is."""
    if not asked(testbed, kind):
        return "did not ask by TLS"
    if kind.name == "curl":
        return "" if testbed.log(kind.name).read_text().startswith("#EXTM3U") else "has no playlist"
    if kind.name == "hls.js" and not asked(testbed, kind).startswith("HTTP/2"):
        return "did not ask by HTTP/2"
    if len(kind.seen(arrivals)) < SECONDS / 2:
        return "has no segments by TLS"
    return "" if process.returncode == 0 or kind.name == "hls.js" else f"ended with {process.returncode}"


def play(testbed, policy, logs, tally):
    """All players at once, each for some seconds; prints how they came."""
    logs.mark()
    testbed.change_catalog(catalog(testbed, policy), comment="by HTTPS")
    players = [(kind, start(testbed, kind)) for kind in KINDS]
    page = testbed.folder / "page.access"
    end = time.monotonic() + 60
    for kind, process in players:
        wait_until(lambda: process.poll() is not None or kind.name == "hls.js" and "/played" in page.read_text(), end - time.monotonic())
        stop(process)
    arrivals = lambda: [each for cdn in CDNS for each in logs.arrivals(cdn)]
    # Both write their logs after the answer.
    wait_until(lambda: all(asked(testbed, kind) for kind in KINDS), seconds=3)
    print("\nBy HTTPS: a balancer, CDNs and a page with certificates of an authority that the demo has made")
    print("              came by              segments    trusts the authority by")
    for kind, process in players:
        print(f"  {kind.name:12}{asked(testbed, kind):21}{len(kind.seen(arrivals())) or '-':>7}    {kind.trust}", flush=True)
        if fault := judge(testbed, kind, process, arrivals()):
            tally.failures.append(f"{kind.name} by HTTPS {fault}:\n{testbed.last_words(kind.name)}")
        else:
            tally.secure += 1
