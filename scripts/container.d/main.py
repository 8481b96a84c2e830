"""Starts the image as an engine, the compose file and the Kubernetes manifest would, one after the other; see scripts/container.

Runs in a network of its own, so that the ports are free and the two services find each other on loopback. Names, ports, limits, secrets and
checks are read from deploy/, not repeated here.
"""
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import yaml

from engine import Container, Failure, Images, must, patiently

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
STORE, WORK = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
IMAGES = Images(STORE)
VIDEO = "/?video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"
DATA = "/var/lib/video-balancer"


def step(text):
    print(f"\n== {text}", flush=True)


def say(text):
    print(f"   {text}", flush=True)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(url, token=None):
    """Status, `Location` and body of the answer."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["Location"], answer.read().decode()


def redirects(count, cdn, every):
    """Asks so often, on the first requests of a balancer."""
    answers = [ask(f"http://127.0.0.1:8000{VIDEO}")[:2] for _ in range(count)]
    places = [number for number, (status, place) in enumerate(answers, 1) if place == VIDEO.removeprefix("/?video=")]
    must(all(status == 301 for status, _ in answers), f"not all of {count} answers are 301: {answers}")
    must(places == list(range(every, count + 1, every)), f"of {count} requests {places} went to the origin")
    must(all(place.startswith(f"http://{cdn}/s1/") for number, (_, place) in enumerate(answers, 1) if number not in places), str(answers))
    say(f"{count} requests: {answers[0][0]} {answers[0][1]}; {places} to the origin")


def executed(container, *words):
    done = container.execute(*words)
    must(done.returncode == 0, f"{' '.join(words)}: {done.returncode} {done.stderr}")
    return done.stdout


# MARK: buildah run

def by_buildah():
    """The image by `buildah run`, as its user; its own check in every mode, and when the ports are others."""
    configuration = IMAGES.configuration("video-balancer")
    kind, *check = configuration["Healthcheck"]["Test"]
    serve = configuration["Entrypoint"] + configuration["Cmd"]
    must(kind == "CMD" and configuration["User"].split(":")[0] not in ("", "0", "root"), "the image runs as root")
    modes = [
        {}, {"BALANCER_PROXY_PROTOCOL": "on"}, {"BALANCER_PROXY_PROTOCOL": "on", "BALANCER_TRUSTED_PROXIES": "10.0.0.0/8"},
        {"BALANCER_PROXY_PROTOCOL": "on", "BALANCER_TRUSTED_PROXIES": "10.0.0.0/8", "BALANCER_ADMIN": "127.0.0.1:9001", "BALANCER_LISTEN": "[::]:9000"},
    ]
    for number, mode in enumerate(modes):
        environment = {"CDN_HOST": "cdn.example.com", "BALANCER_LAME_DUCK": "1", "BALANCER_DRAIN_TIMEOUT": "1"} | mode
        name = IMAGES.run("from", "--pull-never", "video-balancer")
        run = ["run", "--isolation", "chroot", *(word for pair in environment.items() for word in ("--env", "=".join(pair))), name, "--"]
        # Only the ends of these lines differ.
        step(f"buildah run {' '.join(f'{k}={v}' for k, v in ({'CDN_HOST': 'cdn.example.com'} | mode).items())} video-balancer {' '.join(serve)}")
        log = WORK / f"buildah-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(IMAGES.command(*run, *serve), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            def checked():
                must(process.poll() is None, f"it ended:\n{log.read_text()}")
                return subprocess.run(IMAGES.command(*run, *check), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

            healthy = patiently(lambda: (done := checked()).returncode == 0 and done, 30)
            must(healthy, f"HEALTHCHECK does not say healthy:\n{log.read_text()}")
            say(f"HEALTHCHECK {' '.join(check)}: {healthy.stdout.strip()}")
            if not mode:
                [pid] = processes(serve)
                owner = pathlib.Path(f"/proc/{pid}").stat()
                must(f"{owner.st_uid}:{owner.st_gid}" == configuration["User"], f"it runs as {owner.st_uid}:{owner.st_gid}")
                say(f"process of user {owner.st_uid}, group {owner.st_gid}")
                redirects(20, "cdn.example.com", 10)
        finally:
            # buildah hands the signal to nobody in this isolation, so the balancer gets it itself.
            for pid in processes(serve):
                os.kill(pid, signal.SIGTERM)
            process.wait(timeout=30)
            IMAGES.run("rm", name)
        must(process.returncode == 0, f"after SIGTERM it ended with {process.returncode}:\n{log.read_text()}")


def processes(words):
    """Who runs the command itself in this network; not buildah, which has the same words."""
    def runs(entry):
        try:
            program, *rest = (entry / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
            return [os.path.basename(program), *rest] == words and os.readlink(entry / "ns/net") == os.readlink("/proc/self/ns/net")
        except OSError:
            return False

    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit() and runs(entry)]


# MARK: compose

SERVICE = {"image", "build", "depends_on", "restart", "stop_grace_period", "environment", "ports", "volumes", "read_only", "cap_drop",
           "security_opt", "ulimits", "healthcheck"}


def compose():
    """The compose file with its variables filled in from env.example; what that leaves empty are secrets, made here."""
    pairs = re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "env.example").read_text(), re.M)
    values = {name: value or secrets.token_hex(24) for name, value in pairs}

    def fill(match):
        name, operator, fallback = match[1], match[2], match[3]
        value = values.get(name) or (fallback if operator == ":-" else None)
        must(value is not None, f"docker-compose.yml: {name} {fallback}")
        return value

    text = re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", fill, (DEPLOY / "docker-compose.yml").read_text())
    return yaml.safe_load(text), values


def service(document, name, folder):
    said = document["services"][name]
    must(set(said) <= SERVICE, f"docker-compose.yml: {set(said) - SERVICE} of {name} is not known here")
    must(said.get("cap_drop", ["ALL"]) == ["ALL"] and said.get("security_opt", ["no-new-privileges:true"]) == ["no-new-privileges:true"],
         f"docker-compose.yml: of {name} only ALL and no-new-privileges are known here")
    return Container(
        IMAGES, said["image"], folder / name,
        environment={key: str(value) for key, value in said.get("environment", {}).items()},
        volumes={str(WORK / "volumes" / source): place for source, place in (volume.split(":") for volume in said.get("volumes", []))},
        hosts=document["services"], read_only=said.get("read_only", False), no_capabilities="cap_drop" in said,
        no_new_privileges="security_opt" in said, open_files=said.get("ulimits", {}).get("nofile"))


def check_of(said):
    return said["healthcheck"]["test"] if "healthcheck" in said else None


def by_compose(document, values):
    services = document["services"]
    grace = int(services["balancer"]["stop_grace_period"].rstrip("s"))
    token = values["BALANCER_ADMIN_TOKEN"]
    step(f"docker compose up: {services['database']['image']}, then {services['balancer']['image']}")
    must(services["balancer"]["depends_on"] == {"database": {"condition": "service_healthy"}}, "the balancer waits for another thing")
    with service(document, "database", WORK / "compose") as database:
        database.becomes_healthy(check_of(services["database"]))
        say(f"database: {' '.join(services['database']['healthcheck']['test'])}: healthy")
        with service(document, "balancer", WORK / "compose") as balancer:
            balancer.becomes_healthy(check_of(services["balancer"]))
            say(f"balancer: HEALTHCHECK {' '.join(balancer.configuration['Healthcheck']['Test'])}: healthy")
            describe(balancer)
            redirects(20, values["CDN_HOST"], int(values["ORIGIN_EVERY"]))
            status, _, body = ask("http://127.0.0.1:8001/api/v1/status", token)
            must(status == 200, f"/api/v1/status: {status} {body}")
            rows = executed(database, "mariadb", "--skip-column-names", "--execute", "SELECT COUNT(*) FROM balancer_revisions", values["DB_NAME"])
            must(rows.strip() == "1", f"the database has {rows.strip()} revisions")
            say(f"revision {json.loads(body)['revision']} of /api/v1/status is in {values['DB_NAME']}.balancer_revisions, {rows.strip()} row")
            exported = json.loads(executed(balancer, "video-balancer", "catalog", "export"))
            say(f"docker exec balancer video-balancer catalog export: {[cdn['name'] for cdn in exported['cdns']]}")

            step("docker kill database")
            os.kill(database.first(), signal.SIGKILL)
            database.process.wait()
            must(patiently(lambda: "degraded" in ask("http://127.0.0.1:8001/readyz")[2], 30), "the balancer does not notice")
            say(f"/readyz: {ask('http://127.0.0.1:8001/readyz')[2].strip()}")
            must(balancer.is_healthy() and ask(f"http://127.0.0.1:8000{VIDEO}")[0] == 301, "redirects stopped with the database")
            say("balancer: healthy, redirects")
            time.sleep(1.5)
            step("docker stop balancer")
            took = balancer.stop(grace)
            say(f"process 1 ended with 0, {took:.1f} s after SIGTERM (stop_grace_period {grace} s)")
        step("docker compose up balancer, without the database: from the volume's state file")
        with service(document, "balancer", WORK / "compose-again") as balancer:
            balancer.becomes_healthy()
            must(ask(f"http://127.0.0.1:8000{VIDEO}")[0] == 301, "no redirect")
            say("healthy, redirects")
            balancer.stop(grace)


def describe(container):
    """What the limits are in fact, as the kernel says."""
    said = dict(re.findall(r"^(\w+):\t(.*)$", pathlib.Path(f"/proc/{container.first()}/status").read_text(), re.M))
    root = pathlib.Path(f"/proc/{container.first()}/root")
    must(said["NSpid"].split()[-1] == "1", "it is not process 1")
    must(said["NoNewPrivs"] == "1" and int(said["CapEff"], 16) == int(said["CapBnd"], 16) == 0, f"it has capabilities: {said['CapBnd']}")
    must(os.statvfs(root).f_flag & os.ST_RDONLY, "its root can be written")
    files = re.search(r"^Max open files +(\d+)", pathlib.Path(f"/proc/{container.first()}/limits").read_text(), re.M)[1]
    say(f"process 1, user {said['Uid'].split()[0]}, no capabilities, no new privileges, root read-only, {files} open files")


# MARK: Kubernetes

def by_manifest(document, values):
    """The pod of the manifest, alone: its user, its volumes, its secrets, its probes; the database is the compose file's."""
    [deployment] = yaml.safe_load_all((DEPLOY / "kubernetes/deployment.yaml").read_text())
    [configuration] = yaml.safe_load_all((DEPLOY / "kubernetes/configmap.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    [said] = pod["containers"]
    user, group = pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]
    step(f"kubectl apply -f deploy/kubernetes: {said['image']}, as {user}:{group}")
    state, secret = WORK / "pod/state", WORK / "pod/secret"
    for folder in (state, secret):
        folder.mkdir(parents=True)
        # What kubelet makes of emptyDir and of secrets with an fsGroup: root's, and the group's.
        os.chown(folder, 0, group)
        folder.chmod(0o2777)
    for name, value in (("db-password", values["DB_PASS"]), ("admin-token", values["BALANCER_ADMIN_TOKEN"])):
        (secret / name).write_text(value)
        os.chown(secret / name, 0, group)
        (secret / name).chmod(pod["volumes"][1]["secret"]["defaultMode"])
    folders = {"state": state, "secrets": secret}
    environment = configuration["data"] | {
        entry["name"]: entry.get("value") or deployment["metadata"]["name"] + "-0" for entry in said["env"]}
    with service(document, "database", WORK / "pod") as database:
        database.becomes_healthy(check_of(document["services"]["database"]))
        with Container(
            IMAGES, "video-balancer", WORK / "pod/balancer", environment=environment, hosts=[environment["DB_HOST"]],
            volumes={str(folders[mount["name"]]): mount["mountPath"] for mount in said["volumeMounts"]}, user=f"{user}:{group}",
            read_only=said["securityContext"]["readOnlyRootFilesystem"], no_capabilities=True, no_new_privileges=True
        ) as balancer:
            ports = {port["name"]: port["containerPort"] for port in said["ports"]}
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = said[name]["httpGet"]
                url = f"http://127.0.0.1:{ports[probe['port']]}{probe['path']}"

                def answers():
                    must(balancer.process.poll() is None, f"it ended:\n{balancer.words()}")
                    try:
                        return ask(url)[0] == 200
                    except OSError:
                        return False

                must(patiently(answers, 60), f"{name} fails:\n{balancer.words()}")
                say(f"{name} {probe['port']}{probe['path']}: 200")
            must(balancer.is_healthy(), "exec probe: video-balancer healthcheck")
            say("exec probe video-balancer healthcheck: 0")
            describe(balancer)
            redirects(20, environment["CDN_HOST"], int(environment["ORIGIN_EVERY"]))
            took = balancer.stop(pod["terminationGracePeriodSeconds"])
            say(f"process 1 ended with 0, {took:.1f} s after SIGTERM (terminationGracePeriodSeconds {pod['terminationGracePeriodSeconds']})")


try:
    by_buildah()
    filled = compose()
    by_compose(*filled)
    by_manifest(*filled)
except Failure as failure:
    sys.exit(f"container: {failure}")
