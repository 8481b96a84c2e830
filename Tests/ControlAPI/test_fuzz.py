"""Schemathesis against the served document: whatever is sent, the answer is one that the document names."""

import collections
import json
import os
import pathlib
import random
import subprocess
import sys

from balancer import SOAK

CASES = 10_000 if SOAK else 1000
# An operation gets so many examples in a run; the phases that follow no chance add some 700 to all.
EXAMPLES = 100 if SOAK else 12
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def run(balancer, folder, seed):
    """One run of schemathesis; what its hooks counted."""
    report = folder / f"report-{seed}.json"
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(pathlib.Path(__file__).parent), "FUZZ_ADMIN": balancer.admin,
        "FUZZ_TOKEN": balancer.token, "FUZZ_REPORT": str(report), "FUZZ_SEED": str(seed),
    }
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"http://{balancer.admin}/openapi.json",
        "--header", f"Authorization: Bearer {balancer.token}", "--checks", CHECKS, "--max-examples", str(EXAMPLES), "--seed",
        str(seed),
        "--generation-database", "none", "--continue-on-failure", "--no-color", "--warnings", "off",
    ]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    counts = json.loads(report.read_text()) if report.exists() else {}
    assert done.returncode == 0, f"seed {seed}: {done.stdout[-12000:]}\n{done.stderr[-2000:]}\n{counts}"
    assert counts.get("5xx", 0) == 0, f"seed {seed}: {counts}"
    return collections.Counter(counts)


def test_no_generated_request_gets_an_answer_that_the_document_does_not_name(fresh, tmp_path):
    counts, seeds = collections.Counter(), []
    while counts["cases"] < CASES:
        seeds.append(random.randrange(2**32))
        counts += run(fresh, tmp_path, seeds[-1])
    # Refusals alone would prove little: every kind of write must have been accepted as well.
    assert counts["writes"] >= CASES / 20, counts
    assert len([name for name in counts if name.startswith("written by")]) == 18, counts
    assert fresh.api.revision() == counts["writes"] + 1
    assert not [line for line in fresh.lines() if line["level"] in ("error", "critical")]
    print(f"\n{counts['cases']} cases, {counts['writes']} writes accepted (seeds {seeds})")
