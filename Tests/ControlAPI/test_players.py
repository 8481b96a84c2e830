"""Real players when their CDN dies: nginx as CDNs, hls.js in Chromium, ffmpeg. docs/players.md tells of more of them."""

import contextlib
import subprocess
import sys

import pytest

from balancer import BINARY, ROOT, patiently

sys.path[:0] = [str(ROOT / "scripts/players.d"), str(ROOT / "scripts/demo.d")]

from kinds import FFmpeg, HlsJsAvoid, HlsJsSettings
from lab import CDNS, Lab, make_film
from testbed import stop


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("stream") / "film")


@pytest.fixture
def lab(tmp_path, film, request):
    with contextlib.ExitStack() as processes:
        lab = Lab(tmp_path, BINARY, processes, film, form=getattr(request, "param", "master"))
        lab.start()
        yield lab
        assert stop(lab.balancer) == 0


def redirects(lab, cdn):
    return lab.metric("balancer_redirects_total").get(cdn, 0)


def expect_no_redirect_to(lab, dead):
    """Once its probes have failed, a dead CDN gets no player at all."""
    assert patiently(lambda: lab.metric("balancer_target_up").get(dead) == 0, pause=0.1), "its probes do not see it"
    before = {cdn: redirects(lab, cdn) for cdn in CDNS}
    link = lab.link().removeprefix(f"http://{lab.address('balancer')}")
    assert {lab.fetch("balancer", link)[0] for _ in range(50)} == {302}
    assert {cdn: redirects(lab, cdn) - before[cdn] for cdn in CDNS} == {cdn: 0 if cdn == dead else 50 for cdn in CDNS}


def test_a_player_that_asks_again_survives_the_death_of_its_cdn(lab):
    subprocess.run([ROOT / "scripts/fetch-hls"], check=True)
    player = HlsJsAvoid(lab, lab.link())
    with contextlib.closing(player):
        seen = lab.observe(player, "kill", before=3, seconds=60, enough=6)
    # How many seconds the viewer loses is told in docs/players.md; here the machine may be busy.
    assert seen.asked and seen.goes_on and seen.played > 3, seen
    expect_no_redirect_to(lab, seen.first_cdn)


@pytest.mark.parametrize("fault", ["kill", "freeze"])
@pytest.mark.parametrize("lab", ["playlist"], indirect=True)
def test_a_page_without_a_handler_goes_on_with_a_manifest_of_the_balancer(lab, fault):
    subprocess.run([ROOT / "scripts/fetch-hls"], check=True)
    with contextlib.closing(HlsJsSettings(lab, lab.link())) as player:
        seen = lab.observe(player, fault, before=3, seconds=60, enough=6)
    assert seen.other_cdn is not None and seen.goes_on and seen.played > 3, seen


def test_a_player_that_does_not_is_sent_to_another_cdn_when_it_is_started_again(lab):
    seen = lab.observe(FFmpeg(lab, lab.link()), "kill", before=3, seconds=60)
    assert seen.asked == [] and seen.other_cdn is None and seen.ended is not None, seen
    expect_no_redirect_to(lab, seen.first_cdn)
    [other] = [cdn for cdn in CDNS if cdn != seen.first_cdn]
    again = FFmpeg(lab, lab.link())
    assert patiently(lambda: (again.position() or 0) > 4, seconds=15, pause=0.1), again.words()
    assert len(lab.content(other)) >= 2
