"""CDNs that answer none without a token: nginx with secure_link, and verifiers of other schemes as their makers document them."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import socket
import subprocess
import urllib.parse

import botocore.signers
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

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


def media_cdn_token(url, key, now, client):
    """A token of Media CDN by HMAC-SHA256 (python-docs-samples, media_cdn/dualtoken.py)."""
    path, _, query = url.partition("?")
    token = fields(query)["edge-cache-token"]
    signed, _, code = token.rpartition("~hmac=")
    parts = fields(signed, "~")
    decoded = {name: base64.urlsafe_b64decode(parts[name] + "===").decode() for name in ("URLPrefix", "IPRanges") if name in parts}
    return (code == hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest() and int(parts["Expires"]) >= now
            and decoded.get("IPRanges", f"{client}/32") == f"{client}/32" and ("http://cdn.example.com" + path).startswith(decoded["URLPrefix"]))


VERIFIERS["media-cdn-token"] = ({"scheme": "media-cdn-token"}, media_cdn_token)
VERIFIERS["media-cdn-token of a file for one address"] = (
    {"scheme": "media-cdn-token", "covers": "file", "bindAddress": True}, media_cdn_token)


# MARK: Private keys, by botocore and cryptography

KEY_NAME = "K2JCJMDEHXQW5F"


def private_key(file):
    """The first key of a file."""
    text = file.read_text()
    return serialization.load_pem_private_key(text[text.index("-----BEGIN"):].encode(), None)


def cloudfront(link, key, client, sign):
    """Whether botocore writes the same link by an RSA key; by an ECDSA key, whether cryptography verifies it. Returns when it expires."""
    unsigned, first, _ = re.split(r"([?&](?:Policy|Expires)=)", link, maxsplit=1)
    given = fields(link[len(unsigned) + 1:])

    def decoded(text):
        return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))

    if "Policy" in given:
        policy = decoded(given["Policy"]).decode()
        expires = int(re.search(r'EpochTime":(\d+)', policy)[1])
        path = unsigned.split("?")[0]
        resource = {"file": unsigned, "directory": path[:path.rindex("/") + 1] + "*", "prefix": "http://cdn.example.com/*"}[sign["covers"]]
    else:
        expires, resource = int(given["Expires"]), unsigned
    until = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        address = client if sign.get("bindAddress") else None
        text = botocore.signers.CloudFrontSigner(KEY_NAME, None).build_policy(resource, until, None, address)
        assert given["Hash-Algorithm"] == "SHA256" and given["Key-Pair-Id"] == KEY_NAME
        assert "Policy" not in given or policy == text
        try:
            key.public_key().verify(decoded(given["Signature"]), text.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return None
        return expires
    signer = botocore.signers.CloudFrontSigner(KEY_NAME, lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA1()))
    if first.endswith("Policy="):
        address = client if sign.get("bindAddress") else None
        wanted = signer.generate_presigned_url(unsigned, policy=signer.build_policy(resource, until, None, address))
    else:
        wanted = signer.generate_presigned_url(unsigned, date_less_than=until)
    return expires if wanted == link else None


def media_cdn(link, key, client, sign):
    """Whether cryptography's Ed25519 makes the same signature of what Google documents (python-docs-samples, media_cdn)."""
    if sign.get("placement") == "path":
        prefix, token, rest = re.fullmatch(r"(.*?/)edge-cache-token=([^/]*)/(.*)", link).groups()
        policy, _, signature = token.partition("&Signature=")
        text = f"{prefix}edge-cache-token={policy}"
        assert "/" not in rest.split("?")[0] if sign["covers"] == "directory" else prefix == "http://cdn.example.com/"
    else:
        text, _, signature = link.partition("&Signature=")
        if sign["covers"] != "file":
            text = text[text.rindex("URLPrefix="):]
            prefix = base64.urlsafe_b64decode(fields(text)["URLPrefix"]).decode()
            path = link.split("?")[0]
            assert prefix == (path[:path.rindex("/") + 1] if sign["covers"] == "directory" else "http://cdn.example.com/")
    assert text.endswith(f"&KeyName={KEY_NAME}")
    wanted = base64.urlsafe_b64encode(key.sign(text.encode())).decode()
    return int(re.search(r"Expires=(\d+)&KeyName", text)[1]) if signature == wanted else None


# What `sign` says, the kind of key, and what checks a link.
PRIVATE = {
    "CloudFront, RSA, a file": ({"scheme": "cloudfront", "covers": "file"}, "rsa", cloudfront),
    "CloudFront, RSA, a directory": ({"scheme": "cloudfront", "covers": "directory"}, "rsa", cloudfront),
    "CloudFront, RSA, a file for one address": ({"scheme": "cloudfront", "covers": "file", "bindAddress": True}, "rsa", cloudfront),
    "CloudFront, ECDSA, a file": ({"scheme": "cloudfront", "covers": "file"}, "ecdsa", cloudfront),
    "CloudFront, ECDSA, all": ({"scheme": "cloudfront", "covers": "prefix", "bindAddress": True}, "ecdsa", cloudfront),
    "Media CDN, a URL": ({"scheme": "media-cdn", "covers": "file"}, "ed25519", media_cdn),
    "Media CDN, a directory": ({"scheme": "media-cdn", "covers": "directory"}, "ed25519", media_cdn),
    "Media CDN, a directory in the path": ({"scheme": "media-cdn", "covers": "directory", "placement": "path"}, "ed25519", media_cdn),
    "Media CDN, all in the path": ({"scheme": "media-cdn", "covers": "prefix", "placement": "path"}, "ed25519", media_cdn),
}
