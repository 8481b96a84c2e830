"""Hooks of schemathesis: makes writes happen, and counts. Loaded by its command line; see test_fuzz.py.

By chance alone no If-Match would ever be the current one, and nearly no name that of a CDN or a key.
"""

import collections
import json
import os
import random
import urllib.parse

import httpx
import schemathesis
from schemathesis.engine import observations

ADMIN, TOKEN = os.environ["FUZZ_ADMIN"], os.environ["FUZZ_TOKEN"]
REPORT = os.environ["FUZZ_REPORT"]
chance = random.Random(int(os.environ["FUZZ_SEED"]))
client = httpx.Client(base_url=f"http://{ADMIN}", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, verify=False)
counts = collections.Counter()
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def forgiving(same_origin_path):
    """Schemathesis looks for URLs in answers, and 4.32 falls over one that urllib cannot read: http://[1:2]."""
    def path(*arguments):
        try:
            return same_origin_path(*arguments)
        except ValueError:
            return None

    return path


observations._same_origin_path = forgiving(observations._same_origin_path)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path == "/api/v1/events" and str(case.query.get("count", 2)).isdecimal():
        # Nobody waits for an endless stream.
        case.query["count"] = 1
    if case.method.upper() not in WRITES or chance.random() < 0.3:
        return
    if case.path == "/api/v1/keys/{name}":
        if keys := client.get("/api/v1/keys").json()["keys"]:
            case.path_parameters["name"] = urllib.parse.quote(chance.choice(keys)["name"], safe="")
        return
    current = client.get("/api/v1/cdns")
    names = [cdn["name"] for cdn in current.json()]
    case.headers["If-Match"] = current.headers["etag"]
    if "{name}" in case.path and names and chance.random() < 0.8:
        case.path_parameters["name"] = chance.choice(names)
        if case.method.upper() == "PUT" and isinstance(case.body, dict) and "name" in case.body and chance.random() < 0.8:
            case.body["name"] = case.path_parameters["name"]


@schemathesis.hook
def after_call(context, case, response):
    counts["cases"] += 1
    counts[f"{response.status_code // 100}xx"] += 1
    is_question = case.path == "/api/v1/explain" or "validate=true" in response.request.url
    if case.method.upper() in WRITES and response.status_code in (200, 201, 204) and not is_question:
        # Keys make no revision, nor does a database that was declared to be right.
        is_adopted = case.path == "/api/v1/database/settle" and case.body.get("wins") == "database"
        if not case.path.startswith("/api/v1/keys") and not is_adopted:
            counts["writes"] += 1
        counts[f"written by {case.method.upper()} {case.path}"] += 1
    with open(REPORT, "w") as report:
        json.dump(counts, report)
