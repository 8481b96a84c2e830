"""Whether the files in deploy/ agree with one another and with docs/settings.md: names, ports, times, paths."""
import pathlib
import re
import sys

import yaml

here = pathlib.Path(__file__).parent
root = here.parent
faults = []


def must(condition, sentence):
    if not condition:
        faults.append(sentence)


def documents(path):
    return [d for d in yaml.safe_load_all((here / path).read_text()) if d]


# Settings: every name is one, and the times to stop are longer than the default ones of the program.
page = (root / "docs/settings.md").read_text()
known = set(re.findall(r"`([A-Z][A-Z_]+)`", page)) | {"DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "DB_PASS_FILE"}
known |= {"BALANCER_ADMIN_TOKEN_FILE"}
fallback = {name: value for name, value in re.findall(r"`(BALANCER_\w+)` \| `([^`]*)`", page)}
stopping = int(fallback["BALANCER_LAME_DUCK"]) + int(fallback["BALANCER_DRAIN_TIMEOUT"])

(deployment,) = documents("kubernetes/deployment.yaml")
(configuration,) = documents("kubernetes/configmap.yaml")
(budget,) = documents("kubernetes/poddisruptionbudget.yaml")
services = documents("kubernetes/service.yaml")
(compose,) = documents("docker-compose.yml")
unit = (here / "systemd/video-balancer.service").read_text()
pod = deployment["spec"]["template"]["spec"]
(container,) = pod["containers"]
balancer = compose["services"]["balancer"]

names = {
    "video-balancer.env": re.findall(r"^#?([A-Z_]+)=", (here / "video-balancer.env").read_text(), re.M),
    "env.example": re.findall(r"^([A-Z_]+)=", (here / "env.example").read_text(), re.M),
    "configmap.yaml": configuration["data"],
    "deployment.yaml": [v["name"] for v in container["env"]],
    "docker-compose.yml": balancer["environment"],
}
for file, used in names.items():
    for name in used:
        must(name in known, f"{file}: {name} is no setting")
asked = set(re.findall(r"\$\{(\w+)", (here / "docker-compose.yml").read_text()))
must(asked == set(names["env.example"]), f"docker-compose.yml and env.example differ in {sorted(asked ^ set(names['env.example']))}")

seconds = {
    "the unit": int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]),
    "the compose file": int(balancer["stop_grace_period"].rstrip("s")),
    "the deployment": pod["terminationGracePeriodSeconds"],
}
for what, time in seconds.items():
    must(time > stopping, f"{what} kills after {time} s, but a stop may take {stopping} s")

# Kubernetes: selectors meet the pod, ports and volumes exist, probes ask the right page, configuration is there.
labels = deployment["spec"]["template"]["metadata"]["labels"].items()
selectors = [deployment["spec"]["selector"]["matchLabels"], budget["spec"]["selector"]["matchLabels"]]
for selector in selectors + [s["spec"]["selector"] for s in services]:
    must(selector.items() <= labels, f"the selector {selector} does not meet the pod")
ports = {p["name"]: p["containerPort"] for p in container["ports"]}
wanted = [p["targetPort"] for s in services for p in s["spec"]["ports"]]
for kind, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
    must(container[kind]["httpGet"]["port"] == "admin", f"{kind} does not ask the admin port, which needs no PROXY header")
    must(container[kind]["httpGet"]["path"] == path, f"{kind} does not ask {path}")
for port in wanted:
    must(port in ports, f"no port is called {port}")
for name, port in (("BALANCER_LISTEN", ports["players"]), ("BALANCER_ADMIN", ports["admin"])):
    must(configuration["data"][name].endswith(f":{port}"), f"{name} is not on port {port}")
must({m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}, "mounts and volumes differ")
for reference in container["envFrom"]:
    must(reference["configMapRef"]["name"] == configuration["metadata"]["name"], "the ConfigMap has another name")

# The image's user is the manifest's, so that a volume of either can be the other's.
user = re.search(r"^USER (\d+):(\d+)$", (here / "Dockerfile").read_text(), re.M)
said = (str(pod["securityContext"]["runAsUser"]), str(pod["securityContext"]["runAsGroup"]))
must(user and user.groups() == said, f"the Dockerfile's USER is not {':'.join(said)}, the user of the deployment")

# The Dockerfile copies what is there, from stages that are there.
stages = set()
for line in (here / "Dockerfile").read_text().splitlines():
    if stage := re.match(r"FROM \S+ AS (\w+)", line):
        stages.add(stage[1])
    if copied := re.match(r"COPY (?!--from)(.+) \S+$", line):
        for path in copied[1].split():
            must((root / path).exists(), f"Dockerfile: {path} does not exist")
    if source := re.search(r"from=(\w+)", line):
        must(source[1] in stages, f"Dockerfile: no stage is called {source[1]}")
    if script := re.match(r"RUN (scripts/\S+)", line):
        must((root / script[1]).exists(), f"Dockerfile: {script[1]} does not exist")

if faults:
    sys.exit("\n".join(faults))
