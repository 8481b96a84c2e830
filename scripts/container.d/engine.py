"""The little of a container engine that deploy/ relies on: images by buildah, namespaces by unshare, in a network that this process has."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

HERE = pathlib.Path(__file__).parent


def patiently(condition, seconds, pause=0.2):
    """The first true value of `condition()`; None when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(pause)
    return None


class Failure(Exception):
    """What a step must show did not show."""


def must(condition, sentence):
    if not condition:
        raise Failure(sentence)


class Images:
    """buildah's storage."""

    def __init__(self, store):
        self.store = pathlib.Path(store)

    def command(self, *words):
        return ["buildah", "--root", self.store / "storage", "--runroot", self.store / "run", *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def configuration(self, image):
        """The image's, in the form that Docker has it in."""
        return json.loads(self.run("inspect", "--type", "image", image))["Docker"]["config"]


class Container:
    """One container of an image, as an engine starts it: process 1 of its own namespaces, with what the image and the caller say."""

    def __init__(self, images, image, folder, *, environment={}, volumes={}, hosts=(), user=None, command=None, read_only=False,
                 no_capabilities=False, no_new_privileges=False, open_files=None):
        self.images, self.image, self.folder = images, image, pathlib.Path(folder)
        self.configuration = images.configuration(image)
        self.user = user or self.configuration.get("User") or "0:0"
        self.directory = self.configuration.get("WorkingDir") or "/"
        self.command = (self.configuration.get("Entrypoint") or []) + (command or self.configuration.get("Cmd") or [])
        # Nothing of the caller's environment.
        self.environment = dict(pair.split("=", 1) for pair in self.configuration.get("Env") or []) | environment
        self.environment.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        self.limits = {"READ_ONLY": read_only, "NO_CAPABILITIES": no_capabilities, "NO_NEW_PRIVILEGES": no_new_privileges,
                       "OPEN_FILES": open_files}
        self.volumes, self.hosts = volumes, hosts
        self.log = self.folder / "log"

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = self.images.run("from", "--pull-never", self.image)
        self.root = pathlib.Path(self.images.run("mount", self.name))
        for source, place in self.volumes.items():
            self.fill(pathlib.Path(source), self.root / place.lstrip("/"))
        (self.folder / "hosts").write_text("127.0.0.1 localhost " + " ".join(self.hosts) + "\n")
        (self.folder / "volumes").write_text("".join(f"{source}\t{place}\n" for source, place in self.volumes.items()))
        user, _, group = self.user.partition(":")
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", HERE / "enter", self.root, user, group or user, self.folder,
                 self.directory, *self.command]
        environment = self.environment | {name: str(value) for name, value in self.limits.items() if value}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.images.run("umount", self.name)
        self.images.run("rm", self.name)

    @staticmethod
    def fill(source, place):
        """A new volume begins as what the image has there, with its owner, as engines do it."""
        if source.exists():
            return
        source.mkdir(parents=True)
        if place.is_dir():
            subprocess.run(["cp", "-a", f"{place}/.", source], check=True)
            shutil.copystat(place, source)
            os.chown(source, place.stat().st_uid, place.stat().st_gid)

    def first(self):
        """Its process 1, by the number that it has outside; until its root is the container's, it is none."""
        def entered():
            must(self.process.poll() is None, f"{self.image} has ended:\n{self.words()}")
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            with contextlib.suppress(OSError):
                return next((int(child) for child in children if os.path.samefile(f"/proc/{child}/root", self.root)), None)

        first = patiently(entered, 10, pause=0.05)
        must(first, f"{self.image} has no process:\n{self.words()}")
        return first

    def execute(self, *words, **environment):
        """`docker exec`, with its exit code."""
        user, _, group = self.user.partition(":")
        first = self.first()
        entered = ["nsenter", "--target", str(first), "--mount", "--pid", "--root", f"--wd=/proc/{first}/cwd", "--setuid", user, "--setgid",
                   group or user, "--", *words]
        return subprocess.run(entered, env=self.environment | environment, capture_output=True, text=True, timeout=30)

    def is_healthy(self, test=None):
        """What HEALTHCHECK, or the compose file's healthcheck, says."""
        kind, *words = test or self.configuration["Healthcheck"]["Test"]
        must(kind == "CMD", f"healthchecks of the kind {kind} are not known here")
        return self.process.poll() is None and self.execute(*words).returncode == 0

    def becomes_healthy(self, test=None, seconds=60):
        must(patiently(lambda: self.process.poll() is not None or self.is_healthy(test), seconds) and self.process.poll() is None,
             f"{self.image} does not become healthy:\n{self.words()}")

    def stop(self, seconds):
        """SIGTERM to process 1, as `docker stop`; how long it took. Killing it, or another exit code than 0, is a failure."""
        began = time.monotonic()
        os.kill(self.first(), signal.SIGTERM)
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.image} had to be killed {seconds} s after SIGTERM:\n{self.words()}") from None
        must(code == 0, f"{self.image} ended with {code}:\n{self.words()}")
        return time.monotonic() - began

    def words(self):
        return self.log.read_text(errors="replace")[-3000:]
