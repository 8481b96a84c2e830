"""What goes wrong on the way in: the right status, every fault at once with its place, and nothing changed."""

import concurrent.futures
import json
import os
import pathlib
import urllib.parse

import pytest

from balancer import SOAK, VIDEO
from client import MERGE_PATCH, answer, connect, exchange
from contract import CONTROL

CDN = {"name": "cdn-b", "url": "http://cdn-b.example.com"}
ORIGIN = {"domains": ["origin-cluster"], "servers": ["s[1-99]"]}
CATALOG = {"version": 1, "origin": ORIGIN, "cdns": [CDN]}
ONE = "/api/v1/cdns/cdn.example.com"


def bad(method, path, body, *pointers, status=422):
    return pytest.param(method, path, body, set(pointers), status, id=f"{method} {path.removeprefix('/api/v1/')} {str(body)[:60]}")


@pytest.mark.parametrize(("method", "path", "body", "pointers", "status"), [
    # Of another type.
    *[bad("PATCH", ONE, {"weight": value}, "/weight") for value in ("50", "null", True, [], {}, 1.5)],
    *[bad("PATCH", ONE, {"enabled": value}, "/enabled") for value in ("yes", 1, 0, [], {})],
    *[bad("PATCH", ONE, {"url": value}, "/url") for value in (5, None, [], {}, True)],
    *[bad("PUT", ONE, value, "") for value in ([], "cdn-b", 5, True, None)],
    *[bad("PATCH", ONE, value, "") for value in ([], "cdn-b", 5, True, None)],
    *[bad("POST", "/api/v1/cdns", value, "") for value in ([], [CDN], "cdn-b", 5, True, None)],
    *[bad("PUT", f"/api/v1/{part}", value, "") for part in ("catalog", "origin", "selection", "redirect") for value in ([], "x", 5, None)],
    bad("PUT", "/api/v1/origin", {"domains": "origin-cluster", "servers": {}}, "/domains", "/servers"),
    bad("PUT", "/api/v1/origin", {"domains": ["ok", 5, None], "servers": ["s1", [], True]},
        "/domains/1", "/domains/2", "/servers/1", "/servers/2"),
    bad("PUT", "/api/v1/catalog", {"version": "1", "origin": [], "cdns": {}, "selection": 5, "redirect": "301"},
        "/version", "/origin", "/cdns", "/selection", "/redirect"),
    bad("PUT", "/api/v1/catalog", CATALOG | {"cdns": [CDN, "cdn-c", 5]}, "/cdns/1", "/cdns/2"),
    bad("PATCH", "/api/v1/selection", {"strategy": 1}, "/strategy"),
    bad("PATCH", "/api/v1/redirect", {"status": "301"}, "/status"),
    bad("POST", "/api/v1/explain", {"video": 5}, "/video"),
    bad("POST", "/api/v1/explain", {"video": VIDEO, "avoid": 5}, "/avoid"),
    bad("POST", "/api/v1/explain", {"video": VIDEO, "https": "yes"}, "/https"),
    *[bad("POST", "/api/v1/explain", value, "") for value in ([], VIDEO, 5, None)],

    # Unknown keys; also such as a pointer must escape.
    bad("PATCH", ONE, {"wieght": 5}, "/wieght"),
    bad("PATCH", ONE, {"Weight": 5}, "/Weight"),
    bad("POST", "/api/v1/cdns", CDN | {"a/b": 1, "m~n": 2, "": 3, "\u202e\n\"": 4}, "/a~1b", "/m~0n", "/", "/\u202e\n\""),
    bad("PUT", "/api/v1/origin", ORIGIN | {"probe": {"path": "/", "pth": "/"}}, "/probe/pth"),
    bad("PATCH", "/api/v1/origin", {"eevry": 5}, "/eevry"),
    bad("PUT", "/api/v1/selection", {"stratgy": "rotate"}, "/stratgy"),
    bad("PATCH", "/api/v1/redirect", {"code": 302}, "/code"),
    bad("PUT", "/api/v1/catalog", CATALOG | {"ruels": [], "cdns": [CDN | {"wight": 1}]}, "/ruels", "/cdns/0/wight"),
    bad("POST", "/api/v1/explain", {"video": VIDEO, "a/b~": 1, "agent": "x"}, "/a~1b~0", "/agent"),
    bad("POST", "/api/v1/explain", {"video": VIDEO, "client": "nowhere", "headers": {"a b": "x", "c": "\n"}},
        "/client", "/headers/a b", "/headers/c"),

    # Missing fields.
    bad("POST", "/api/v1/cdns", {}, "/name", "/url"),
    bad("PUT", ONE, {}, "/name", "/url"),
    bad("PATCH", ONE, {"name": None}, "/name"),
    bad("PUT", "/api/v1/catalog", {}, "/version", "/origin", "/cdns"),
    bad("PUT", "/api/v1/catalog", {"version": 1, "origin": {}, "cdns": [{}]},
        "/origin/domains", "/origin/servers", "/cdns/0/name", "/cdns/0/url"),
    bad("PUT", "/api/v1/origin", {}, "/domains", "/servers"),
    bad("PATCH", "/api/v1/origin", {"domains": None}, "/domains"),
    bad("PUT", "/api/v1/selection", {"strategy": "rotate"}, "/every"),
    bad("POST", "/api/v1/explain", {}, "/video"),

    # Names: taken, twice, other than in the path, impossible.
    bad("POST", "/api/v1/cdns", CDN | {"name": "cdn.example.com"}, status=409),
    bad("POST", "/api/v1/cdns", CDN | {"name": "CDN.Example.COM"}, status=409),
    bad("PUT", "/api/v1/catalog", CATALOG | {"cdns": [CDN, CDN]}, "/cdns/1/name"),
    bad("PUT", "/api/v1/catalog", CATALOG | {"cdns": [CDN, CDN | {"name": "CDN-B"}]}, "/cdns/1/name"),
    bad("PUT", ONE, CDN, "/name"),
    bad("PATCH", ONE, {"name": "cdn-b"}, "/name"),
    bad("PATCH", ONE, {"name": "CDN.example.com"}, "/name"),
    *[bad("POST", "/api/v1/cdns", CDN | {"name": name}, "/name")
      for name in ("", "origin", "a b", "a/b", "ü", "a\u0000b", "x" * 65, "a%2fb", "\u212aelvin", "a\n", "👍")],

    # Out of range.
    *[bad("PATCH", ONE, {"weight": value}, "/weight") for value in (-1, 1001, 2**31, 2**63, -2**63, 10**30)],
    *[bad("PATCH", "/api/v1/origin", {"every": value}, "/every") for value in (-1, 10**9 + 1, 0.5, 2**64)],
    *[bad("PUT", "/api/v1/selection", {"strategy": "rotate", "every": value}, "/every") for value in (0, -1, 10**9 + 1)],
    bad("PUT", "/api/v1/selection", {"strategy": "weighted", "every": 5}, "/every"),
    *[bad("PUT", "/api/v1/selection", {"strategy": value}, "/strategy") for value in ("random", "Weighted", "", "weighted ")],
    *[bad("PUT", "/api/v1/redirect", {"status": value}, "/status") for value in (200, 300, 303, 304, 305, 306, 309, 0, -301)],
    *[bad("PATCH", "/api/v1/origin", {"scheme": value}, "/scheme") for value in ("ftp", "HTTP", "", "http://")],
    *[bad("PATCH", "/api/v1/origin", {"scope": value}, "/scope") for value in ("film", "", "ALL")],
    *[bad("PUT", "/api/v1/catalog", CATALOG | {"version": value}, "/version") for value in (0, 2, -1, 1.5, 10**12)],
    *[bad("PATCH", ONE, {"url": value}, "/url") for value in (
        "", "cdn.example.com", "//cdn.example.com", "ftp://cdn.example.com", "http://", "http:///x", "http://u@cdn.example.com",
        "http://u:p@cdn.example.com", "http://cdn.example.com?x", "http://cdn.example.com/#x", "http://cdn.example.com/../x",
        "http://cdn.example.com/%2e%2e/x", "http://cdn.example.com/./x", "http://cdn.example.com:0", "http://cdn.example.com:65536",
        "http://cdn.example.com:", "http://cdn.example.com:x", "http://cdn_b.example.com", "http://-cdn.example.com",
        "http://cdn..com",
        "http://cdn.example.com/a b", "http://cdn.example.com/a\r\nSet-Cookie: x", "http://cdn.example.com\\x",
        "http://ü.example.com",
        "http://[::1", "http://[1:2]", "http://[:::]", "http://[12345::]", "http://[::1::2]", "http://[]", "http://[::1]x",
        "http://cdn.example.com/%", "http://cdn.example.com/%zz", " http://cdn.example.com", "http://" + "a" * 254 + ".com",
        "http://cdn.example.com/" + "x" * 1024, "javascript:alert(1)", "http://cdn.example.com/\u0000")],
    *[bad("PATCH", "/api/v1/origin", {"domains": [value]}, "/domains/0") for value in (
        "", ".", "a..b", "-a", "a-", "a_b", "a b", "a/b", "http://a", "a:0", "a:65536", "a:", "[::1]", "x" * 64, "a\n", "ü")],
    bad("PATCH", "/api/v1/origin", {"domains": []}, "/domains"),
    bad("PATCH", "/api/v1/origin", {"domains": [f"d{n}" for n in range(65)]}, "/domains"),
    bad("PATCH", "/api/v1/origin", {"domains": ["a", "A", "b", "b"]}, "/domains/1", "/domains/3"),
    *[bad("PATCH", "/api/v1/origin", {"servers": [value]}, "/servers/0") for value in (
        "", "-", "s-", "s_1", "s.1", "s[9-1]", "s[1-", "s[a-b]", "s[1-99999]", "s[-1-5]", "s[1-2][3-4]", "s[0000000001-2]",
        "x" * 64, "s1\n")],
    bad("PATCH", "/api/v1/origin", {"servers": []}, "/servers"),
    bad("PATCH", "/api/v1/origin", {"servers": ["s1", "S1"]}, "/servers/1"),
    bad("PATCH", "/api/v1/origin", {"servers": ["s[1-9]", "s[5-12]"]}, "/servers/1"),
    bad("PATCH", "/api/v1/origin", {"servers": ["a[1-6000]", "b[1-6000]"]}, "/servers"),
    bad("PATCH", "/api/v1/origin", {"servers": [f"s{n}" for n in range(1001)]}, "/servers"),
    bad("PUT", "/api/v1/catalog", CATALOG | {"cdns": [{"name": f"c{n}", "url": "http://c"} for n in range(1001)]}, "/cdns"),
    bad("POST", "/api/v1/explain", {"video": "http://s1.origin-cluster/" + "x" * 8192}, "/video"),

    # A version of the future is told alone: what else is new in it nobody here knows.
    bad("PUT", "/api/v1/catalog", {"version": 2, "new": 1, "origin": 5, "cdns": 5}, "/version"),

    # Everything at once.
    bad("POST", "/api/v1/cdns", {"name": "a b", "url": "x", "weight": -1, "enabled": "no", "more": 1},
        "/name", "/url", "/weight", "/enabled", "/more"),
    bad("PUT", "/api/v1/catalog", {
        "version": 0, "more": 1,
        "origin": {"domains": ["a b"], "servers": ["_"], "scheme": "x", "every": -1, "scope": "x", "more": 1},
        "cdns": [CDN, {"name": "cdn-b", "url": "x", "weight": 5000, "enabled": 1, "more": 1}],
        "selection": {"strategy": "rotate", "more": 1},
        "redirect": {"status": 999, "more": 1}},
        "/version", "/more", "/origin/domains/0", "/origin/servers/0", "/origin/scheme", "/origin/every", "/origin/scope",
        "/origin/more",
        "/cdns/1/name", "/cdns/1/url", "/cdns/1/weight", "/cdns/1/enabled", "/cdns/1/more", "/selection/every", "/selection/more",
        "/redirect/status", "/redirect/more"),
])
def test_invalid_content_is_refused_with_all_its_faults_in_their_places(api, method, path, body, pointers, status):
    before = api.get("/api/v1/catalog")
    response = api.write(method, path, body, etag=before.headers["etag"]) if body is not None else api.request(
        method, path, headers={"If-Match": before.headers["etag"], "Content-Type": "application/json"}, content="null")
    assert response.status_code == status, response.text
    told = {error["pointer"] for error in response.json().get("errors", [])}
    assert told >= pointers, response.text
    # What is of the wrong type altogether may have its members called missing too.
    assert all(any(more.startswith(f"{pointer}/") for pointer in pointers) for more in told - pointers), response.text
    after = api.get("/api/v1/catalog")
    assert (after.headers["etag"], after.json()) == (before.headers["etag"], before.json())


def deep(count, opening="[", closing="]"):
    return opening * count + closing * count


@pytest.mark.parametrize("body", [
    pytest.param(body.encode() if isinstance(body, str) else body, id=name) for name, body in {
        "empty": "", "spaces": " \r\n\t ", "cut": '{"weight": ', "cut string": '{"weight": "5', "more after it": '{"weight": 5} {}',
        "single quotes": "{'weight': 5}", "no quotes": "{weight: 5}", "comma at the end": '{"weight": 5,}',
        "comment": '{"weight": 5} // half',
        "NaN": '{"weight": NaN}', "Infinity": '{"weight": Infinity}', "hexadecimal": '{"weight": 0x10}',
        "leading zero": '{"weight": 050}',
        "plus": '{"weight": +5}', "line feed in a string": '{"name": "a\nb"}', "lone surrogate": r'{"name": "\ud800"}',
        "bad escape": r'{"name": "\x41"}', "form": "weight=5", "HTML": "<html></html>", "YAML": "weight: 5\n",
        "not UTF-8": b'{"name": "\xff\xfe"}', "overlong UTF-8": b'{"name": "\xc0\xaf"}',
        "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
        "Latin-1": '{"name": "ü"}'.encode("latin-1"), "UTF-16": '{"weight": 5}'.encode("utf-16"),
        "UTF-16LE": '{"weight": 5}'.encode("utf-16-le"),
        "UTF-16BE": '{"weight": 5}'.encode("utf-16-be"), "UTF-32": '{"weight": 5}'.encode("utf-32"),
        "UTF-32LE": '{"weight": 5}'.encode("utf-32-le"),
        "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "zeros": bytes(100), "10,000 lists deep": deep(10000),
        "10,000 objects deep": deep(10000, '{"a":', "}").replace(":}", ":1}"), "100,000 deep and never closed": "[" * 100000,
        "10,000 deep in a member": '{"weight": ' + deep(10000) + "}",
    }.items()])
@pytest.mark.parametrize(("method", "path"), [
    ("PATCH", ONE), ("POST", "/api/v1/cdns"), ("PUT", "/api/v1/catalog"), ("POST", "/api/v1/explain")])
def test_a_body_that_is_no_json_in_utf_8_is_refused(api, method, path, body):
    before = api.etag()
    response = api.request(method, path, headers={"Content-Type": "application/json", "If-Match": before}, content=body)
    assert response.status_code == 400, response.text
    assert api.etag() == before


def request_head(balancer, method, path, *fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: balancer", f"Authorization: Bearer {balancer.token}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
@pytest.mark.parametrize(("method", "path", "size"), [
    ("PUT", "/api/v1/catalog", 2**24 + 1), ("PUT", "/api/v1/rules", 20_000_000), ("POST", "/api/v1/explain", 2**20 + 1),
    ("POST", "/api/v1/cdns", 2**20 + 1), ("POST", "/api/v1/explain", 10_000_000)])
def test_a_body_over_its_limit_is_refused(balancer, api, framing, size, method, path):
    before = api.etag()
    fields = ["Content-Type: application/json", f"If-Match: {before}"]
    body = b'{"comment": "' + b"x" * (size - 15) + b'"}'
    if framing == "chunked":
        head = request_head(balancer, method, path, *fields, "Transfer-Encoding: chunked")
        parts = (body[start:start + 65536] for start in range(0, size, 65536))
        pieces = [head, *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]
    else:
        pieces = [request_head(balancer, method, path, *fields, f"Content-Length: {len(body)}"), body]
    received, _ = exchange(balancer.admin, pieces, stop=lambda received: answer(bytes(received), method))
    response = answer(received, method)
    assert response is not None, f"no answer but {received[:200]!r}"
    CONTROL.check(method, path, response)
    assert response.status_code == 413
    assert api.etag() == before


def test_a_body_of_just_a_mebibyte_is_read(api):
    body = json.dumps(api.get("/api/v1/catalog").json()).encode().ljust(2**20)
    response = api.put("/api/v1/catalog?validate=true", headers={"Content-Type": "application/json"}, content=body)
    assert response.status_code == 200


@pytest.mark.parametrize("media_type", [
    None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
    "application/jsonx", "application/json-patch+json", "application/yaml", "*/*", "json"])
@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/api/v1/cdns"), ("PUT", ONE), ("PATCH", ONE), ("PUT", "/api/v1/origin"), ("PATCH", "/api/v1/selection"),
    ("PUT", "/api/v1/catalog"), ("PUT", "/api/v1/catalog?validate=true"), ("POST", "/api/v1/explain")])
def test_another_content_type_is_refused(api, method, path, media_type):
    before = api.etag()
    headers = {"If-Match": before} | ({} if media_type is None else {"Content-Type": media_type})
    response = api.request(method, path, headers=headers, content=b"{}")
    assert response.status_code == 415
    assert api.etag() == before


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/api/v1/cdns"), ("PUT", ONE), ("PUT", "/api/v1/redirect"), ("PUT", "/api/v1/catalog")])
def test_a_merge_patch_is_taken_by_patch_alone(api, method, path):
    response = api.request(method, path, headers={"If-Match": api.etag(), "Content-Type": MERGE_PATCH}, content=b"{}")
    assert response.status_code == 415


WRITES = [
    ("POST", "/api/v1/cdns", CDN), ("PUT", ONE, CDN | {"name": "cdn.example.com"}), ("PATCH", ONE, {"weight": 1}),
    ("DELETE", ONE, None),
    ("PUT", "/api/v1/catalog", CATALOG), ("PUT", "/api/v1/origin", ORIGIN), ("PATCH", "/api/v1/origin", {"every": 3}),
    ("PUT", "/api/v1/selection", {}), ("PATCH", "/api/v1/selection", {"strategy": "rotate", "every": 1}),
    ("PUT", "/api/v1/redirect", {}), ("PATCH", "/api/v1/redirect", {"status": 302}),
    ("PUT", "/api/v1/failover", {}), ("PATCH", "/api/v1/failover", {"originLimit": 500}), ("PUT", "/api/v1/rules", []),
    ("POST", "/api/v1/revisions/1/restore", None),
]


def test_the_table_of_writes_is_complete():
    documented = {(method, path) for method, path, operation in CONTROL.operations() if "428" in operation["responses"]}
    fill = {ONE: "/api/v1/cdns/{name}", "/api/v1/revisions/1/restore": "/api/v1/revisions/{id}/restore"}
    assert {(method, fill.get(path, path)) for method, path, _ in WRITES} == documented


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_write_without_an_etag_is_refused(api, method, path, body):
    before = api.etag()
    headers = {"Content-Type": "application/json"} if body is not None else {}
    response = api.request(method, path, headers=headers, content=json.dumps(body) if body is not None else None)
    assert response.status_code == 428
    assert api.etag() == before


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_stale_etag_is_refused_with_the_current_one(fresh, method, path, body):
    first = fresh.api.etag()
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 7})
    current = fresh.api.etag()
    number, checksum = current.strip('"').split("-")
    stale = [
        first, f'"{number}-00000000"', f'"{int(number) + 1}-{checksum}"', f'"1-{checksum}"', f'"{number}"', f'"{checksum}"',
        f"W/{current}", "*",
        '""', '"', "x", current.strip('"'), current[:-1], f"{first}, *", "\xff",
    ]
    for etag in stale:
        response = fresh.api.write(method, path, body, etag=etag.encode("latin-1"))
        assert response.status_code == 412, f"If-Match: {etag}: {response.status_code} {response.text}"
        assert response.headers["etag"] == current
    assert fresh.api.etag() == current
    assert fresh.api.write(method, path, body, etag=f'{first}, {current} , "x"').is_success


@pytest.mark.parametrize("number", [
    "0", "-1", "999999", "2147483648", "9223372036854775807", "9223372036854775808", "1e0", "1.0", "abc",
    "%00", "%31%00", "١", "%D9%A1", "1%20", "0x1", "%ff"])
def test_an_unknown_revision_is_not_found(api, number):
    before = api.etag()
    assert api.get(f"/api/v1/revisions/{number}").status_code == 404
    assert api.write("POST", f"/api/v1/revisions/{number}/restore").status_code == 404
    assert api.etag() == before


@pytest.mark.parametrize("name", [
    "nobody", "CDN.EXAMPLE.COM", "cdn.example.com%00", "%2e%2e", "cdn.example.com%2f", "%ff", "x" * 4000, "%F0%9F%91%8D",
    "cdn.example.com%20", "*", "'", '"', "1%3D1"])
def test_an_unknown_cdn_is_not_found(api, name):
    before = api.etag()
    assert api.get(f"/api/v1/cdns/{name}").status_code == 404
    for method, body in (("PUT", CDN), ("PATCH", {"weight": 1}), ("DELETE", None)):
        assert api.write(method, f"/api/v1/cdns/{name}", body).status_code == 404
    assert api.etag() == before


@pytest.mark.parametrize("path", [
    "/api", "/api/v1", "/api/v2/cdns", "/api/v1/rules/1", "/API/v1/cdns", "/api/v1/cdns/a/b", "/api/v1/revisions/1/2",
    "/favicon.ico", "/.env", "/%2e%2e/etc/passwd", "/docs", "/openapi.yaml", "/api/v1/origin/every",
    "/" + "x" * 5000])
def test_an_unknown_path_is_not_found(api, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert api.request(method, path).status_code == 404


@pytest.mark.parametrize("path", sorted({path for _, path, _ in CONTROL.operations()}))
def test_a_wrong_method_is_refused_with_the_right_ones(api, path):
    before = api.etag()
    right = {method for method, known, _ in CONTROL.operations() if known == path}
    target = path.replace("{name}", "cdn.example.com").replace("{id}", "1")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - right:
        response = api.request(method, target, headers={"If-Match": before})
        assert response.status_code == 405
        allowed = set(response.headers["allow"].split(", "))
        assert allowed == right | ({"HEAD"} if "GET" in right else set())
    assert api.etag() == before


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=-1", "limit=abc", "limit=", "limit=1.5", "limit=99999999999999999999", "before=0",
    "before=-1", "before=abc", "before=", "before=2147483648", "limit=5&before=x", "limit=%00"])
def test_a_page_out_of_range_is_refused(api, query):
    assert api.get(f"/api/v1/revisions?{query}").status_code == 400


@pytest.mark.parametrize("value", ["yes", "TRUE", "True", "1", "", "false%20", "null"])
def test_validate_is_true_or_false_and_nothing_stores_by_mistake(fresh, value):
    """Who mistypes `true` must not have written the catalog."""
    etag = fresh.api.etag()
    response = fresh.api.put(f"/api/v1/catalog?validate={value}", json=CATALOG, headers={"If-Match": etag})
    assert response.status_code == 400
    assert fresh.api.etag() == etag


@pytest.mark.parametrize(("method", "path", "body"), [
    ("PUT", "/api/v1/catalog?validat=true", CATALOG), ("PUT", "/api/v1/catalog?dry-run=1", CATALOG),
    ("PUT", "/api/v1/catalog?validate=false&validate=true", CATALOG), ("PUT", "/api/v1/redirect?validate=true", {"status": 302}),
    ("PATCH", "/api/v1/origin?validate=true", {"every": 3}), ("PUT", "/api/v1/redirect?comment=a&comment=b", {"status": 302}),
])
def test_who_mistypes_a_parameter_has_written_nothing(fresh, method, path, body):
    etag = fresh.api.etag()
    response = fresh.api.request(method, path, json=body, headers={"If-Match": etag})
    assert response.status_code == 400
    assert fresh.api.etag() == etag


@pytest.mark.parametrize(("path", "body", "pointer"), [
    ("/api/v1/redirect", {"passParameters": ["CMCD", "video"]}, "/passParameters/1"),
    ("/api/v1/redirect", {"passParameters": ["CMCD", "CMCD"]}, "/passParameters/1"),
    ("/api/v1/rules", [{"name": "r", "when": {"hours": {"timeZone": "Europe/Berln"}}, "every": 1}], "/0/when/hours/timeZone"),
    ("/api/v1/rules", [{"name": "r", "when": {"hours": {"timeZone": "CET"}}, "every": 1}], "/0/when/hours/timeZone"),
    ("/api/v1/rules", [{"name": "r", "when": {"hours": {"timeZone": "Europe/Berlin", "utcOffset": "+01:00"}}, "every": 1}],
     "/0/when/hours/utcOffset"),
])
def test_what_players_and_clocks_need_is_refused_at_its_place(fresh, path, body, pointer):
    response = fresh.api.put(path, json=body, headers={"If-Match": fresh.api.etag()})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_zone_parameters_and_a_kept_scheme_are_shown_as_they_were_sent(fresh):
    hours = {"days": ["mon"], "from": "19:00", "to": "01:00", "timeZone": "Europe/Berlin"}
    for path, body in [("/api/v1/rules", [{"name": "r", "when": {"hours": hours}, "every": 1}]),
                       ("/api/v1/redirect", {"status": 302, "links": False, "passParameters": ["CMCD", "_HLS_msn"]})]:
        response = fresh.api.put(path, json=body, headers={"If-Match": fresh.api.etag()})
        assert (response.status_code, response.json()) == (200, body)
    response = fresh.api.patch("/api/v1/origin", json={"keepScheme": True}, headers={"If-Match": fresh.api.etag()})
    assert (response.status_code, response.json()["keepScheme"]) == (200, True)
    response = fresh.api.patch("/api/v1/origin", json={"keepScheme": None}, headers={"If-Match": fresh.api.etag()})
    assert response.status_code == 200 and "keepScheme" not in response.json()


@pytest.mark.parametrize("comment", [
    pytest.param("x" * 501, id="501 letters"), pytest.param("é" * 501, id="501 letters of two bytes"),
    pytest.param("👍" * 501, id="501 emoji"),
    pytest.param("e\u0301" * 251, id="251 letters of two code points"),
    pytest.param("a" + "\u0301" * 1000, id="one letter of 1,001 code points"),
    pytest.param("👨‍👩‍👧‍👦" * 80, id="80 families of seven code points"), pytest.param("a\0b", id="NUL"),
    pytest.param("\0", id="NUL alone")])
@pytest.mark.parametrize(("method", "path", "body"), [
    ("PATCH", ONE, {"weight": 1}), ("DELETE", ONE, None), ("POST", "/api/v1/revisions/1/restore", None)])
def test_a_comment_that_cannot_be_kept_is_refused(api, method, path, body, comment):
    """A length is counted in code points, as JSON Schema's maxLength is."""
    before = api.etag()
    response = api.write(method, path, body, comment=comment)
    assert response.status_code == 400, f"{response.status_code} {response.text[:300]}"
    assert api.etag() == before


@pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%c0%af", "a%e2%82"])
def test_a_comment_that_is_not_utf_8_is_refused(api, raw):
    before = api.etag()
    response = api.patch(f"{ONE}?comment={raw}", headers={"If-Match": before, "Content-Type": MERGE_PATCH}, content=b'{"weight": 1}')
    assert response.status_code == 400
    assert api.etag() == before


def test_faults_that_only_the_whole_catalog_has_stand_at_the_empty_pointer(fresh):
    """There is no `/cdns` in the body that was sent."""
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 0})
    before = fresh.api.etag()
    for method, path, body in (("PATCH", ONE, {"enabled": False}), ("PATCH", ONE, {"weight": 0}), ("DELETE", ONE, None),
                               ("PUT", ONE, {"name": "cdn.example.com", "url": "http://cdn.example.com", "enabled": False})):
        response = fresh.api.write(method, path, body)
        assert (response.status_code, [error["pointer"] for error in response.json()["errors"]]) == (422, [""])
    assert fresh.api.etag() == before
    # From the other side: no CDN takes traffic, so the origin must.
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 1})
    fresh.api.done("PATCH", ONE, {"enabled": False})
    response = fresh.api.write("PATCH", "/api/v1/origin", {"every": 0})
    assert (response.status_code, [error["pointer"] for error in response.json()["errors"]]) == (422, [""])


def test_an_11th_cdn_is_judged_by_its_own_faults(fresh):
    """`/cdns/1` is the beginning of `/cdns/10`, but not the same CDN."""
    for number in range(1, 12):
        fresh.api.done("POST", "/api/v1/cdns", {"name": f"c{number}", "url": "http://c.example.com"})
    for number in (1, 10, 11):
        response = fresh.api.write("PATCH", f"/api/v1/cdns/c{number}", {"weight": -1, "more": 1})
        assert {error["pointer"] for error in response.json()["errors"]} == {"/weight", "/more"}


def test_a_million_servers_are_refused_before_they_are_counted_out(fresh):
    """A thousand short ranges stand for ten million labels: too many to make first and count then."""
    servers = [f"a{number}x[1-9999]" for number in range(1000)]
    before = memory(fresh)
    response = fresh.api.write("PATCH", "/api/v1/origin", {"servers": servers})
    assert response.status_code == 422
    assert "/servers" in {error["pointer"] for error in response.json()["errors"]}
    assert memory(fresh) - before < 200 * 2**20, "more than 200 MiB for one request"


def test_the_cost_of_a_body_grows_no_faster_than_its_size(fresh):
    """Work that grows with the square of the keys would let one request keep a thread busy for many seconds. CPU time is counted."""
    def cost(keys):
        body = json.dumps({f"k{number}": 0 for number in range(keys)})
        before = cpu(fresh)
        response = fresh.api.patch(ONE, headers={"If-Match": fresh.api.etag(), "Content-Type": MERGE_PATCH}, content=body)
        assert response.status_code == 422
        return cpu(fresh) - before

    small, large = max(cost(10_000), 0.05), cost(40_000)
    assert large / small < 10, f"four times the keys cost {large / small:.0f} times as much: {small:.2f} s and {large:.2f} s of CPU"


def cpu(balancer):
    """Seconds of CPU that the process has used."""
    fields = pathlib.Path(f"/proc/{balancer.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(balancer):
    """The most memory the process ever had, in bytes."""
    status = pathlib.Path(f"/proc/{balancer.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_many_faults_are_told_without_drowning_the_client(api):
    """A body of a mebibyte can have a hundred thousand faults."""
    body = json.dumps({f"k{number}": 0 for number in range(80000)})
    response = api.patch(ONE, headers={"If-Match": api.etag(), "Content-Type": MERGE_PATCH}, content=body)
    assert response.status_code == 422
    assert "80000" in response.json()["detail"]
    assert len(response.json()["errors"]) == 100
    response = api.patch(ONE, headers={"If-Match": api.etag(), "Content-Type": MERGE_PATCH}, content=json.dumps({"k" * 1_000_000: 0}))
    assert response.status_code == 422
    assert len(response.content) < 10_000


@pytest.mark.parametrize("first", [
    b"HEAD /api/v1/nothing", b"HEAD /api/v1/cdns/nobody", b"HEAD /api/v1/explain", b"HEAD /api/v1/revisions?limit=0",
    b"GET /api/v1/nothing",
    b"HEAD /api/v1/cdns", b"HEAD /metrics", b"DELETE /api/v1/cdns/nobody", b"POST /api/v1/revisions/1/restore"])
@pytest.mark.parametrize("body", [b"", b"some body that nobody reads"])
def test_the_next_request_on_a_connection_gets_its_own_answer(balancer, first, body):
    """An answer to HEAD with a body, or a body left unread, would be taken for the next answer or request."""
    fields = b"Host: balancer\r\nAuthorization: Bearer " + balancer.token.encode() + b"\r\n"
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    one = first + b" HTTP/1.1\r\n" + fields + length + b"\r\n" + body
    two = b"GET /livez HTTP/1.1\r\n" + fields + b"Connection: close\r\n\r\n"
    received, ended = exchange(balancer.admin, [one, two], seconds=5)
    method = first.split()[0].decode()
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), received
    answered = answer(received, method)
    CONTROL.check(method, first.split()[1].decode(), answered)
    if method != "HEAD":
        rest = rest[int(answered.headers["content-length"]):]
    if ended is not None and not rest and answered.headers.get("connection") == "close":
        return
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n"), f"after the first answer came {rest[:200]!r}"
    assert rest.endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("raw", [
    b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"FOO /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100,
    b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/explain HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/explain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"])
def test_what_is_no_proper_http_gets_a_4xx_or_the_end_and_never_a_5xx(balancer, api, raw):
    received, _ = exchange(balancer.admin, [raw], seconds=3, stop=lambda received: b"\r\n\r\n" in received)
    assert received == b"" or received.split(b" ")[1][:1] in (b"4", b"2"), received[:300]
    assert api.get("/livez").status_code == 200


def test_a_body_that_comes_too_slowly_ends_the_connection(balancer, api):
    """It takes ten seconds, so all forms of it wait at once. Who has no token has the answer at once, and need not be waited for."""
    before = api.etag()
    head = request_head(balancer, "PATCH", ONE, f"If-Match: {before}", f"Content-Type: {MERGE_PATCH}", "Content-Length: 100")
    chunked = request_head(balancer, "PATCH", ONE, f"If-Match: {before}", f"Content-Type: {MERGE_PATCH}", "Transfer-Encoding: chunked")
    drip = [b'{"weight": 1', *[b" "] * 200]
    forms = {
        "dripped": ([head, *drip], 1.0), "stopped": ([head, b'{"weight": 1'], 0.0), "never begun": ([head], 0.0),
        "dripped in chunks": ([chunked, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in drip)], 1.0),
    }
    anonymous = [head.replace(balancer.token.encode(), b"0" * 64), *drip]
    refused, _ = exchange(balancer.admin, anonymous, pause=1.0, seconds=5, stop=lambda received: b"}" in received)
    assert answer(refused).status_code == 401
    results = together(lambda form: exchange(balancer.admin, form[0], pause=form[1], seconds=20), forms.values())
    for name, (received, ended) in zip(forms, results):
        assert ended is not None and ended <= 15, f"{name}: ended after {ended}"
        if received:
            assert answer(received).status_code in (400, 408), f"{name}: {received[:200]!r}"
    assert api.etag() == before


@pytest.mark.skipif(not SOAK, reason="waits for 30 s; SOAK=1")
def test_who_is_idle_or_drips_after_the_answer_is_ended_too(balancer):
    head = request_head(balancer, "PATCH", ONE, "Content-Length: 100").replace(balancer.token.encode(), b"0" * 64)
    forms = {
        "never begun": ([], 0.0), "half a head": ([b"GET /livez HTTP/1.1\r\nHost: a\r\n"], 0.0),
        "a dripped head": ([b"GET /livez HTTP/1.1\r\n", *[b"X: y\r\n"] * 90], 1.0),
        "idle": ([b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"], 0.0),
        "drips a body that nobody reads": ([head, *[b"x"] * 99], 1.0),
    }
    results = together(lambda form: exchange(balancer.admin, form[0], pause=form[1], seconds=60), forms.values())
    assert {name: ended is not None and ended <= 45 for name, (_, ended) in zip(forms, results)} == dict.fromkeys(forms, True)


def together(work, items):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        return list(pool.map(work, items))


def test_a_client_that_leaves_in_the_middle_changes_nothing(balancer, api):
    before = api.etag()
    head = request_head(balancer, "PATCH", ONE, f"If-Match: {before}", f"Content-Type: {MERGE_PATCH}", "Content-Length: 13")
    for length in range(0, 13):
        with connect(balancer.admin) as stream:
            stream.sendall(head + b'{"weight": 1}'[:length])
    assert api.etag() == before


def test_odd_but_right_requests_are_taken(api):
    assert api.get("/api/v1/cdns?" + urllib.parse.urlencode({"unknown": "x"})).status_code == 200
    for media_type in ("application/json", "APPLICATION/JSON", "application/json;charset=utf-8", 'application/json ; charset="UTF-8"'):
        assert api.post("/api/v1/explain", headers={"Content-Type": media_type}, content=json.dumps({"video": VIDEO})).status_code == 200
    # A byte order mark may be passed over (RFC 8259, section 8.1); integers may be written so (JSON Schema, 6.1.1).
    body = '{"version": 1.0, "origin": {"domains": ["a"], "servers": ["s1"], "every": 1e1}, "cdns": []}'
    assert api.put("/api/v1/catalog?validate=true", headers={"Content-Type": "application/json"}, content=body).status_code == 200


@pytest.mark.parametrize("head, status", [
    (b"GET /livez HTTP/1.1\r\n", 400), (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400), (b"GET /livez HTTP/1.1\r\nHost: ..:99999/x\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost:\r\n", 400), (b"GET /livez HTTP/1.0\r\n", 200), (b"GET /livez HTTP/1.1\r\nHost: evil.example\r\n", 200),
    (b"GET /metrics HTTP/1.1\r\nHost: evil.example:8001\r\n", 421), (b"GET / HTTP/1.1\r\nHost: evil.example\r\n", 421),
    (b"GET /metrics HTTP/1.1\r\nHost: [::1]:8001\r\n", 200), (b"OPTIONS /readyz HTTP/1.0\r\n", 200), (b"FOO\r\n", 400)])
def test_host_is_one_and_known(balancer, head, status):
    received, _ = exchange(balancer.admin, [head + b"Connection: close\r\n\r\n"], seconds=3)
    response = answer(received, "GET")
    assert response.status_code == status, received
    assert "date" in response.headers
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status
