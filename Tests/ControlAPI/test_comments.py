"""Any text may be the reason of a change, and comes back as it was."""

import pytest

from balancer import Balancer
from client import API

# Texts that have broken programs: controls, directions, combining, normalisation, markup, SQL, format strings, numbers in disguise.
NAUGHTY = [
    "", " ", "  leading and trailing  ", "\t", "\n", "\r\n", "line\nline\rline\u2028line\u2029line\u0085line",
    "\x01\x02\x03\x1b[31mred\x1b[0m\x7f",
    "\x80\x85\x9f", "\u00a0\u1680\u2003\u202f\u3000", "\u200b\u200c\u200d\u2060\ufeff", "\ufeffbyte order mark",
    "\ufffe\uffff\ufffd", "\ud7ff\ue000\U0010ffff",
    "null", "NULL", "nil", "undefined", "true", "NaN", "-0", "1e400", "0x0", "00", "1/0", "None", "(null)", "[object Object]",
    "' OR '1'='1", "'; DROP TABLE balancer_revisions; --", "\" ; DELETE FROM balancer_revisions WHERE 1=1 /*", "\\'; --",
    "%27%20OR%201=1", "?", "?1 :a @b $c",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]><!--", "&lt;&amp;&#0;&quot;", "javascript:alert(1)",
    "</title>", "{{7*7}}", "${7*7}", "#{7*7}",
    "%s%s%s%n%x", "%00%0a%0d", "%", "%%", "100 %", "a+b c%20d", "a&comment=b", "a=b;c=d", "#fragment", "x?y", "\\", "\\\\",
    "\\u0000", "\\\"", '"', '""', "'", "`", "\\n",
    "$(touch /tmp/x)", "`id`", "| cat /etc/passwd", "&& true", "../../etc/passwd", "C:\\con\\nul", "/dev/null; exit",
    "\r\nSet-Cookie: a=b\r\n\r\n",
    '{"message": "forged", "level": "notice"}', '"}\n{"level":"error","message":"forged"}', "Ω≈ç√∫˜µ≤≥÷", "ÅÍÎÏ˝ÓÔÒÚÆ☃",
    "ЁЂЃЄЅІЇЈЉЊЋЌЍЎЏ", "السلام عليكم", "שלום", "你好", "こんにちは", "안녕",
    "한글", "e\u0301 is not \u00e9", "\u00c5 \u212b A\u030a", "\ufb01 \u1e9b\u0323", "İıSsßẞ", "ﷺ", "\u202eright to left\u202c",
    "\u2066isolated\u2069", "ก็็็็็็็็็็", "Z̷̗͐a̸͎͛l̵̳̈́g̶̱̓o̷͎͐",
    "👍", "👍🏿", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️ and ❤", "1️⃣", "𝕋𝕖𝕤𝕥", "𐀀\U000e0001", "ﬀ½²③", "ｆｕｌｌ", "x" * 500, "é" * 500,
    "👍" * 500, "\u0301" * 500, "\\" * 500, '"' * 500, "\n" * 500,
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the history and the log tell after every text was the comment of a change."""
    with Balancer(tmp_path_factory.mktemp("comments")) as balancer:
        with API(balancer.admin, balancer.token) as api:
            etag = api.etag()
            for number, text in enumerate(NAUGHTY):
                response = api.write("PATCH", "/api/v1/cdns/cdn.example.com", {"weight": number % 2 + 1}, etag=etag, comment=text)
                etag = response.headers["etag"]
                assert (response.status_code, etag.split("-")[0]) == (200, f'"{number + 2}'), f"{text!r}: {response.text}"
            listed = {revision["id"]: revision["comment"] for revision in api.history()}
            alone = {number: api.get(f"/api/v1/revisions/{number}").json()["comment"] for number in listed}
        logged = {int(line["revision"]): line["comment"] for line in balancer.lines() if line["message"] == "catalog applied"}
        balancer.kill()
        balancer.start()
        with API(balancer.admin, balancer.token) as api:
            after = {number: api.get(f"/api/v1/revisions/{number}").json()["comment"] for number in listed}
    return listed, alone, logged, after


@pytest.mark.parametrize("place", [0, 1, 2, 3], ids=["in the list", "alone", "in the log", "after a crash"])
def test_a_comment_is_stored_and_read_back_as_it_was(told, place):
    expected = {1: "first start"} | {number + 2: text for number, text in enumerate(NAUGHTY)}
    if place == 2:
        del expected[1]
    different = {number: (text, told[place].get(number)) for number, text in expected.items() if told[place].get(number) != text}
    assert different == {}


def test_the_texts_are_many_and_different():
    assert len(NAUGHTY) == len(set(NAUGHTY)) >= 100
