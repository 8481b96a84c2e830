"""Many writers: every edit is made to what its writer has seen, and none is lost."""

import concurrent.futures
import json
import threading

from balancer import SOAK
from client import API, MERGE_PATCH

CLIENTS = 8
EDITS = 1000 if SOAK else 100


def test_of_two_writers_at_once_one_wins_and_the_other_is_told_the_current_etag(fresh):
    both = threading.Barrier(2)

    def write(client, number, etag):
        both.wait()
        return client.write("PATCH", "/api/v1/origin", {"every": number}, etag=etag, comment=f"writer {number % 2}")

    with API(fresh.admin, fresh.token) as one, API(fresh.admin, fresh.token) as two, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for turn in range(50):
            etag = fresh.api.etag()
            answers = list(pool.map(write, (one, two), (100 + 2 * turn, 101 + 2 * turn), (etag, etag)))
            assert sorted(answer.status_code for answer in answers) == [200, 412]
            won, lost = sorted(answers, key=lambda answer: answer.status_code)
            assert lost.headers["etag"] == won.headers["etag"] == fresh.api.etag() != etag
            assert fresh.api.get("/api/v1/origin").json() == won.json()
    assert fresh.api.revision() == 51


def test_compare_and_set_by_eight_clients_loses_and_doubles_nothing(fresh):
    """Each edit adds one to the same number. A lost or doubled edit, or one made to what its writer had not seen, shows in the history."""
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 1})

    def edit(client_number):
        accepted, refused = {}, 0
        with API(fresh.admin, fresh.token) as client:
            for number in range(EDITS):
                while True:
                    seen = client.get("/api/v1/origin")
                    response = client.patch(
                        f"/api/v1/origin?comment={client_number}-{number}", content=json.dumps({"every": seen.json()["every"] + 1}),
                        headers={"If-Match": seen.headers["etag"], "Content-Type": MERGE_PATCH})
                    if response.status_code == 200:
                        accepted[f"{client_number}-{number}"] = int(response.headers["etag"].strip('"').split("-")[0])
                        break
                    assert response.status_code == 412, response.text
                    refused += 1
        return accepted, refused

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        results = list(pool.map(edit, range(CLIENTS)))
    accepted = {comment: number for result, _ in results for comment, number in result.items()}
    assert sum(refused for _, refused in results) > 0, "the clients never met"
    assert len(accepted) == CLIENTS * EDITS

    revisions = fresh.api.history()
    assert [revision["id"] for revision in revisions] == list(range(1, CLIENTS * EDITS + 3))
    edits = revisions[2:]
    assert {revision["comment"]: revision["id"] for revision in edits} == accepted
    assert len({revision["comment"] for revision in edits}) == len(edits)
    for number, revision in enumerate(edits, start=1):
        assert revision["changes"] == [{"pointer": "/origin/every", "from": number, "to": number + 1}]
    for client_number in range(CLIENTS):
        own = [revision["comment"] for revision in edits if revision["comment"].startswith(f"{client_number}-")]
        assert own == [f"{client_number}-{number}" for number in range(EDITS)]
    assert fresh.api.get("/api/v1/origin").json()["every"] == CLIENTS * EDITS + 1
    print(f"\n{len(accepted)} edits accepted, {sum(refused for _, refused in results)} refused as stale")


def test_adding_one_name_from_many_sides_makes_one_cdn(fresh):
    start = threading.Barrier(CLIENTS)

    def add(number):
        with API(fresh.admin, fresh.token) as client:
            etag = client.etag()
            start.wait()
            return client.write("POST", "/api/v1/cdns", {"name": "same", "url": f"http://c{number}.example.com"}, etag=etag).status_code

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(add, range(CLIENTS)))
    assert statuses.count(201) == 1 and set(statuses) <= {201, 409, 412}
    assert [cdn["name"] for cdn in fresh.api.get("/api/v1/cdns").json()] == ["cdn.example.com", "same"]


def test_reads_during_writes_show_whole_revisions_alone(fresh):
    """A reader never sees a catalog that no revision has, nor one under another's ETag."""
    seen, stop = {}, threading.Event()

    def read():
        with API(fresh.admin, fresh.token) as client:
            while not stop.is_set():
                response = client.get("/api/v1/catalog")
                known = seen.setdefault(response.headers["etag"], response.json())
                assert known == response.json()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(100):
                catalog = fresh.api.get("/api/v1/catalog")
                value = catalog.json()
                value["origin"]["every"] = value["cdns"][0]["weight"] = number + 1
                fresh.api.done("PUT", "/api/v1/catalog", value, etag=catalog.headers["etag"])
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    for catalog in list(seen.values())[1:]:
        assert catalog["origin"]["every"] == catalog["cdns"][0]["weight"]
    for etag, catalog in seen.items():
        number, checksum = etag.strip('"').split("-")
        revision = fresh.api.get(f"/api/v1/revisions/{number}").json()
        assert revision["catalog"] == catalog and revision["checksum"].startswith(checksum)
