"""CDNs that answer none without a token: nginx with secure_link, and verifiers of other schemes as their makers document them."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import socket
import subprocess
import urllib.parse

from balancer import ROOT, patiently

SECRET, NEXT_SECRET = "7c1e5b0f93a84d26e0b7f1c9a25d6348", "d83f6a1b0c5e49727fa9e40b36c1d582"

ANSWER = """
    if ($secure_link = "") { return 403; }
    if ($secure_link = "0") { return 410; }
"""

# Kinds of protection: what `sign` says of it, the CDN's path, and nginx's side, with @ for the secret.
QUERY = "secure_link $arg_md5,$arg_expires; secure_link_md5"
# The quotes are for its braces.
PATH = r'location ~ "^/(?<st>[\w-]{22})/(?<se>\d+)(?<dir>/.*/)(?<file>[^/]*)$"'
KINDS = {
    "file and address": (
        {"scheme": "nginx", "expression": "$secure_link_expires$uri$remote_addr $secret"}, "",
        f'location / {{ {QUERY} "$secure_link_expires$uri$remote_addr @"; {ANSWER} return 204; }}'),
    "argument": (
        {"scheme": "nginx", "expression": "x$arg_v|$secure_link_expires|${uri}|${secret}x"}, "",
        f'location / {{ {QUERY} "x$arg_v|$secure_link_expires|$uri|@x"; {ANSWER} return 204; }}'),
    "other names": (
        {"scheme": "nginx", "expression": "$secret$expires$uri", "parameter": "st", "expiresParameter": "e"}, "/films",
        f'location / {{ secure_link $arg_st,$arg_e; secure_link_md5 "@$arg_e$uri"; {ANSWER} return 204; }}'),
    "directory in the path": (
        {"scheme": "nginx", "expression": "$secure_link_expires$directory $secret", "placement": "path"}, "",
        f'{PATH} {{ secure_link $st,$se; secure_link_md5 "$secure_link_expires$dir @"; {ANSWER} return 204; }}'),
    "secure_link_secret": (
        {"scheme": "nginx-secret"}, "/p", f'location /p/ {{ secure_link_secret @; if ($secure_link = "") {{ return 403; }} return 204; }}'),
    "Gcore": (
        {"scheme": "gcore", "covers": "file", "bindAddress": True}, "",
        f'location / {{ {QUERY} "$secure_link_expires$uri$remote_addr @"; {ANSWER} return 204; }}'),
}


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def clock_tool(folder):
    """The library that sets a program's clock ahead."""
    library = pathlib.Path(folder) / "later.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, ROOT / "Tests/Tools/later.c", "-ldl"], check=True)
    return library


@contextlib.contextmanager
def nginx(folder, servers, later=None):
    """nginx with server blocks by port; `later`: seconds that its clock is ahead."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    blocks = "\n".join(f"server {{ listen 127.0.0.1:{port}; {body} }}" for port, body in servers.items())
    kinds = "types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }"
    (folder / "nginx.conf").write_text(f"""
        daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            log_format short '$server_port $status $request_uri'; access_log {folder}/access.log short; {kinds}
            log_format agents '$status $uri $http_user_agent'; access_log {folder}/agents.log agents;
            client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
            scgi_temp_path {folder}/s; keepalive_requests 1000000; large_client_header_buffers 8 32k;
            {blocks}
        }}""")
    environment = dict(os.environ)
    if later:
        environment |= {"LD_PRELOAD": str(clock_tool(folder)), "LATER": str(later)}
    process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], env=environment)
    try:
        for port in servers:
            def answers():
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    return True
            assert patiently(answers), (folder / "error.log").read_text()
        yield folder
    finally:
        process.terminate()
        process.wait(timeout=10)


class Asker:
    """A connection that sends targets to the letter, and keeps to no redirect."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def get(self, target):
        """The status and the Location."""
        self.connection.putrequest("GET", target, skip_accept_encoding=True)
        self.connection.endheaders()
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.headers["location"]


# MARK: Verifiers, independent of the program

def base64url(digest):
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def fields(text, separator="&"):
    return dict(part.partition("=")[::2] for part in text.split(separator))


def akamai(url, key, now, client):
    """EdgeAuth 2.0 (akamai/EdgeAuth-Token-Python): the list's * is any text and its ? any character."""
    path, _, query = url.partition("?")
    if found := re.match(r"^/hdntl=([^/]*)(/.*)$", path):
        token, path = found.groups()
    else:
        token = fields(query).get("hdnts", "")
    signed, _, code = token.rpartition("~hmac=")
    wanted = hmac.new(bytes.fromhex(key), signed.encode(), hashlib.sha256).hexdigest()
    parts = fields(signed, "~")
    lists = urllib.parse.unquote(parts.get("acl", "")) if "%2f" in parts.get("acl", "") else parts.get("acl", "")
    pattern = re.escape(lists).replace(r"\*", ".*").replace(r"\?", ".")
    return (hmac.compare_digest(code, wanted) and int(parts["exp"]) >= now and parts.get("ip", client) == client
            and re.fullmatch(pattern, path) is not None)


def bunny(url, key, now, client):
    """Advanced token authentication (BunnyWay/BunnyCDN.TokenAuthentication 2.1)."""
    path, _, query = url.partition("?")
    if path.startswith("/bcdn_token="):
        token, _, path = path[1:].partition("/")
        given, path = fields(token.replace("bcdn_token=", "token=", 1)), "/" + path
    else:
        given = fields(query)
    path = urllib.parse.unquote_to_bytes(path)
    token_path = given.get("token_path")
    covered = urllib.parse.unquote_to_bytes(token_path) if token_path else path
    data = b"token_ignore_params=true" + (b"&token_path=" + covered if token_path else b"")
    token = given["token"]
    # By its length: a digest may begin with these two characters as well.
    address = socket.inet_aton(client) if len(token) == len("HS256-1-") + 43 else b""
    code = hmac.new(key.encode(), covered + given["expires"].encode() + address + data, hashlib.sha256).digest()
    prefix = "HS256-1-" if address else "HS256-"
    return token == prefix + base64url(code) and int(given["expires"]) >= now and path.startswith(covered)


def expression(url, key, now, client):
    """The `hmac` of the test: `$expires|$path|$remote_addr` in hexadecimal digits."""
    path, _, query = url.partition("?")
    given = fields(query)
    code = hmac.new(key.encode(), f"{given['expires']}|{path}|{client}".encode(), hashlib.sha256).hexdigest()
    return given["token"] == code and int(given["expires"]) >= now


VERIFIERS = {
    "akamai": ({"scheme": "akamai", "bindAddress": True}, akamai),
    "akamai in the path": ({"scheme": "akamai", "placement": "path"}, akamai),
    "bunny": ({"scheme": "bunny", "covers": "file", "bindAddress": True}, bunny),
    "bunny in the path": ({"scheme": "bunny", "placement": "path"}, bunny),
    "hmac": ({"scheme": "hmac", "expression": "$expires|$path|$remote_addr", "encoding": "hex"}, expression),
}
