"""The players. Each has a name, a position in seconds, and last words; `pause` lets it and the observer wait."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse

from testbed import DemoError, environment, stop, tool

BIN = pathlib.Path(sys.executable).parent  # streamlink and yt-dlp are in the environment that runs this
CHROMIUM = pathlib.Path("/usr/bin/chromium")


class Program:
    """A player that is a process."""

    def __init__(self, lab, link):
        self.lab, self.link, self.log = lab, link, lab.folder / f"{self.name}.log"
        with self.log.open("ab") as output:
            self.process = self.begin(output)

    def launch(self, command, **options):
        settings = {"stdin": subprocess.DEVNULL, "cwd": self.lab.folder, "env": environment(HOME=str(self.lab.folder))}
        process = subprocess.Popen(command, **settings | options)
        self.lab.processes.callback(stop, process)
        return process

    def pause(self, seconds):
        time.sleep(seconds)

    def ended(self):
        return self.process.poll() is not None

    def words(self):
        lines = [line for line in re.split(r"[\r\n]+", self.log.read_text(errors="replace")) if line.strip()]
        code = self.process.poll()
        return ("" if code is None else f"exit code {code}: ") + " / ".join(lines[-2:])[-300:]

    def close(self):
        stop(self.process)


class FFmpeg(Program):
    name = "ffmpeg"
    options = []

    def begin(self, output):
        self.progress = self.lab.folder / f"{self.name}-{time.monotonic_ns()}.progress"
        play = ["-v", "error", "-nostdin", "-readrate", "1", *self.options, "-i", self.link]
        return self.launch([tool("ffmpeg"), *play, "-c", "copy", *sink(self.progress)], stderr=output)

    def position(self):
        return clock(self.progress)


class ImpatientFFmpeg(FFmpeg):
    """With the option against servers that stay silent."""

    name = "ffmpeg-rw_timeout"
    options = ["-rw_timeout", "5000000"]


class Streamlink(Program):
    """Its output is read in real time by an ffmpeg, in the place of a VLC."""

    name = "streamlink"

    def begin(self, output):
        self.progress = self.lab.folder / "streamlink.progress"
        command = [BIN / "streamlink", "--ringbuffer-size", "1M", "--stdout", f"hls://{self.link}", "best"]
        process = self.launch(command, stdout=subprocess.PIPE, stderr=output)
        viewer = [tool("ffmpeg"), "-v", "error", "-readrate", "1", "-i", "-", "-c", "copy", *sink(self.progress)]
        self.launch(viewer, stdin=process.stdout)
        process.stdout.close()
        return process

    def position(self):
        return clock(self.progress)


class YtDlp(Program):
    """A downloader: its position is what it has written."""

    name = "yt-dlp"

    def begin(self, output):
        self.folder = self.lab.folder / "yt-dlp"
        command = [BIN / "yt-dlp", "--no-cache-dir", "--no-progress", "-f", "b", "-P", self.folder, "-o", "film.ts", self.link]
        return self.launch(command, stdout=output, stderr=output)

    def position(self):
        sizes = [path.stat().st_size for path in self.folder.glob("film.ts*")] if self.folder.exists() else []
        return max(sizes, default=0) / 55_000


class MPV(Program):
    name = "mpv"

    def begin(self, output):
        self.socket = self.lab.folder / "mpv.socket"
        options = ["--no-config", "--vo=null", "--ao=null", "--input-terminal=no", "--msg-level=all=warn"]
        command = [tool("mpv"), *options, f"--input-ipc-server={self.socket}", self.link]
        return self.launch(command, stdout=output, stderr=output)

    def position(self):
        answer = ask(self.socket, '{"command":["get_property","time-pos"]}\n')
        found = re.search(r'"data":([\d.]+)', answer)
        return float(found[1]) if found else None


class VLC(Program):
    name = "vlc"

    def begin(self, output):
        folder = self.lab.folder / "vlc"
        folder.mkdir()
        self.socket = folder / "socket"
        # VLC refuses to be root, and nobody must be able to reach its folder.
        other = []
        if os.geteuid() == 0:
            self.lab.folder.chmod(0o711)
            folder.chmod(0o777)
            other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"HOME={folder}"]
        control = ["--extraintf", "oldrc", "--rc-unix", self.socket, "--rc-fake-tty"]
        command = [*other, tool("vlc"), "-I", "dummy", "--vout=dummy", "--aout=adummy", "--play-and-exit", *control, self.link]
        return self.launch(command, stdout=output, stderr=output)

    def position(self):
        found = re.search(r"^(?:> )?(\d+)\s*$", ask(self.socket, "get_time\n"), re.MULTILINE)
        return float(found[1]) if found else None


class Browser:
    """Debian's Chromium, headless, on a page with one video element."""

    page = {"with": "native"}

    def __init__(self, lab, link):
        from playwright.sync_api import sync_playwright

        if not CHROMIUM.exists():
            raise DemoError("Chromium is missing: apt-get install chromium")
        self.playwright = sync_playwright().start()
        flags = ["--autoplay-policy=no-user-gesture-required", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        self.tab = self.browser.new_page()
        query = urllib.parse.urlencode(self.page | {"link": link})
        self.tab.goto(f"http://{lab.address('origin')}/player.html?{query}")

    def pause(self, seconds):
        self.tab.wait_for_timeout(seconds * 1000)

    def position(self):
        return self.tab.evaluate("document.querySelector('video').currentTime")

    def ended(self):
        return self.tab.evaluate("(({ ended, error }) => ended || error !== null)(document.querySelector('video'))")

    def words(self):
        return " / ".join(self.tab.evaluate("window.errors")[-6:])

    def version(self):
        return self.tab.evaluate("window.version ?? `canPlayType: \"${window.answer}\"`")

    def close(self):
        self.browser.close()
        self.playwright.stop()


class Chromium(Browser):
    name = "chromium"


class HlsJs(Browser):
    name = "hls.js"
    page = {"with": "hls.js"}


class HlsJsPatience(Browser):
    """No handler either, but five seconds for a segment instead of two minutes."""

    name = "hls.js-patience"
    page = {"with": "hls.js", "patience": "5000"}


class HlsJsSettings(Browser):
    """No handler, but the settings that docs/players.md recommends to a page that is steered."""

    name = "hls.js-settings"
    page = {"with": "hls.js", "settings": ""}


class HlsJsStartLoad(Browser):
    name = "hls.js-startload"
    page = {"with": "hls.js", "handler": "startload"}


class HlsJsReload(Browser):
    name = "hls.js-reload"
    page = {"with": "hls.js", "handler": "reload"}


class HlsJsAvoid(Browser):
    name = "hls.js-avoid"
    page = {"with": "hls.js", "handler": "avoid"}


class HlsJsImpatient(Browser):
    """By default hls.js waits two minutes for the rest of a segment that has begun."""

    name = "hls.js-impatient"
    page = {"with": "hls.js", "handler": "avoid", "patience": "5000"}


class VideoJs(Browser):
    """Of 2019, without content steering: HLS and DASH."""

    name = "video.js"
    page = {"with": "video.js"}


PROGRAMS = [FFmpeg, ImpatientFFmpeg, Streamlink, YtDlp, MPV, VLC]
BROWSERS = [Chromium, HlsJs, HlsJsPatience, HlsJsSettings, HlsJsStartLoad, HlsJsReload, HlsJsAvoid, HlsJsImpatient, VideoJs]
KINDS = {kind.name: kind for kind in PROGRAMS + BROWSERS}


def sink(progress):
    return ["-progress", progress, "-stats_period", "0.25", "-f", "null", "-"]


def clock(progress):
    reports = re.findall(r"^out_time_us=(\d+)$", progress.read_text(), re.MULTILINE) if progress.exists() else []
    return int(reports[-1]) / 1e6 if reports else None


def ask(path, question):
    """One question to a control socket; nothing when it is not there."""
    try:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(0.3)
            control.connect(str(path))
            control.sendall(question.encode())
            time.sleep(0.05)
            return control.recv(4096).decode(errors="replace")
    except OSError:
        return ""
