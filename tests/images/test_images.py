"""The images are built without an engine, and every process starts in its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

import pytest
from tests.conftest import ROOT

TOOLS: Final = ("buildah", "mmdebstrap", "runc", "unshare", "ip")
PARTS: Final = ("functions", "worker", "gateway", "job")
BUILT, BROKEN = "under-test", "broken"
MISSING = ["root"] * (os.geteuid() != 0) + [name for name in TOOLS if not shutil.which(name)]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"images are not built here, for want of {', '.join(MISSING)}")


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in the checkout; what it prints, both streams in one."""
    pipe, known = subprocess.PIPE, os.environ | environ
    return subprocess.run(words, cwd=ROOT, env=known, text=True, check=False, stdout=pipe, stderr=subprocess.STDOUT)


def name(part: str, tag: str) -> str:
    """An image as the build names it."""
    return f"localhost/scurry/{part}:{tag}"


@pytest.fixture(scope="module")
def built() -> Iterator[str]:
    """Their tag; taken away afterwards, the layers stay for the next time."""
    done = run("deploy/images/build", TAG=BUILT, RUNTIMES="onnx", ENGINE="buildah")
    assert done.returncode == 0, done.stdout[-4000:]
    yield BUILT
    run("buildah", "rmi", *(name(part, BUILT) for part in PARTS))


@pytest.mark.parametrize("part", PARTS)
def test_an_image_says_of_which_commit_it_is(built: str, part: str) -> None:
    """Also where every layer came out of the cache."""
    image = json.loads(run("buildah", "inspect", "--type", "image", name(part, built)).stdout)
    told = image["OCIv1"]["config"]["Labels"]
    commit = run("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty").stdout.strip()
    assert told["org.opencontainers.image.revision"] == commit
    assert told["org.opencontainers.image.version"] == built


def test_every_process_starts_answers_and_ends_in_its_image(built: str) -> None:
    """Unprivileged, on a read-only root; a model that is declared answers over HTTP through all of them."""
    done = run("deploy/images/smoke", TAG=built)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "smoke: every process ran in its image"
    assert "asked over HTTP: [1.5, 21.0] became [3.0, 42.0]" in done.stdout


@pytest.mark.parametrize(
    ("part", "mistake", "sentence"),
    [
        ("gateway", ("--user", "0:0"), f"{name('gateway', BROKEN)} runs as root"),
        ("worker", ("--label", "org.opencontainers.image.version-"), f"{name('worker', BROKEN)} has no label version"),
        ("functions", ("--entrypoint", '["false"]'), "ended before http://127.0.0.1:8100/healthz answered"),
    ],
)
def test_an_image_with_a_mistake_is_refused(built: str, part: str, mistake: tuple[str, ...], sentence: str) -> None:
    """Status 1, and the sentence that says which and what."""
    container = run("buildah", "from", "--pull-never", name(part, built)).stdout.strip()
    try:
        assert run("buildah", "config", *mistake, container).returncode == 0
        assert run("buildah", "commit", "--quiet", container, name(part, BROKEN)).returncode == 0
    finally:
        run("buildah", "rm", container)
    for other in PARTS:
        if other != part:
            run("buildah", "tag", name(other, built), name(other, BROKEN))
    done = run("deploy/images/smoke", TAG=BROKEN)
    run("buildah", "rmi", *(name(each, BROKEN) for each in PARTS))
    assert done.returncode == 1, done.stdout
    assert sentence in done.stdout.splitlines()[-1]


def test_nothing_is_left_behind(built: str) -> None:
    """No container of runc's or buildah's, no control group; also where an image is missing, which is said."""
    done = run("deploy/images/smoke", TAG=f"{built}-that-is-not-there")
    assert done.returncode == 1
    assert done.stdout.startswith("smoke: buildah inspect --type image localhost/scurry/functions:")
    assert not [line for line in run("runc", "list", "--quiet").stdout.splitlines() if line.startswith("scurry-smoke")]
    assert "/scurry/" not in run("buildah", "containers").stdout
    groups = [path for path, _, _ in os.walk("/sys/fs/cgroup") if "scurry-smoke" in path]
    assert groups == []
