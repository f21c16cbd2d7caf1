"""The Dockerfile builds from what exists, runs as nobody special and starts what it says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
START = ROOT / "deploy" / "images" / "job" / "start"
TARGETS = ("job", "functions", "worker", "gateway", "all-in-one")


def instructions(path: Path) -> list[tuple[str, str]]:
    """Every instruction of a Dockerfile: its word and what follows, continued lines joined."""
    text = re.sub(r"\\\n", " ", path.read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, its FROM first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions(ROOT / "deploy" / "Dockerfile"):
        if word == "FROM":
            current = found.setdefault(rest.rpartition(" ")[2], [])
        if word != "ARG":
            current.append((word, rest))
    return found


def bases() -> dict[str, str]:
    """The default of each ARG."""
    arguments = [rest for word, rest in instructions(ROOT / "deploy" / "Dockerfile") if word == "ARG"]
    return dict(argument.split("=", 1) for argument in arguments if "_BASE=" in argument)


def last(name: str, word: str) -> str:
    """What the last instruction of that word says, in a stage or in the one that it begins with."""
    stage = stages()[name]
    found = [rest for each, rest in stage if each == word]
    return found[-1] if found else last(stage[0][1].partition(" ")[0], word)


def test_every_image_is_a_target_and_all_in_one_the_default() -> None:
    """One target per image; a build without --target makes the one for newcomers."""
    assert set(TARGETS) <= set(stages())
    assert list(stages())[-1] == "all-in-one"


@pytest.mark.parametrize("name", TARGETS)
def test_no_image_runs_as_root(name: str) -> None:
    """The last USER of each target is a number that is not 0."""
    assert int(last(name, "USER").partition(":")[0]) > 0


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_says_what_it_is(name: str) -> None:
    """Its title, the version of the package unless told, and the commit that the build names."""
    told = last(name, "LABEL")
    assert f"image.title=scurry-{name} " in told
    assert all(f"image.{word}=${word.upper()}" in told for word in ("version", "revision", "source"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    arguments = [rest for word, rest in instructions(ROOT / "deploy" / "Dockerfile") if word == "ARG"]
    assert arguments.count(f"VERSION={version}") == len(TARGETS)


@pytest.mark.parametrize("default", bases().values())
def test_every_base_has_a_version(default: str) -> None:
    """Bases are arguments with a tag that is not `latest`."""
    tag = default.rpartition("/")[2].partition(":")[2]
    assert tag not in ("", "latest")


def test_every_stage_comes_from_an_argument_or_a_stage() -> None:
    """No base is written into a FROM, so that any can be replaced."""
    earlier: set[str] = set()
    for name, stage in stages().items():
        base = stage[0][1].partition(" ")[0]
        assert base in earlier or base.strip("${}") in bases()
        earlier.add(name)


@pytest.mark.parametrize("stage", stages())
def test_everything_copied_exists(stage: str) -> None:
    """COPY takes files of this checkout that .dockerignore lets through, or from an earlier stage."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for word, rest in stages()[stage]:
        if word != "COPY":
            continue
        source_stage = re.search(r"--from=(\S+)", rest)
        sources = [part for part in rest.split() if not part.startswith("--")][:-1]
        if source_stage:
            assert source_stage[1] in stages()
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in allowed


def test_everything_the_wheel_includes_is_copied() -> None:
    """The build of the package fails where a folder of `force-include` is missing."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {part for word, rest in stages()["python"] if word == "COPY" for part in rest.split()[:-1]}
    assert set(build["force-include"]) <= copied


def test_the_job_needs_no_script_of_flinks() -> None:
    """The job's image starts our own scripts, which are executable in the checkout."""
    assert json.loads(last("job", "ENTRYPOINT")) == ["/opt/scurry/start"]
    scripts = [START, *sorted((ROOT / "deploy/images/job/bin").iterdir())]
    assert len(scripts) == 3
    assert all(script.stat().st_mode & 0o111 for script in scripts)


@pytest.mark.parametrize(
    ("name", "command"),
    [("functions", ["functions"]), ("worker", ["worker"]), ("gateway", ["gateway"])],
)
def test_processes_start_their_own_verb(name: str, command: list[str]) -> None:
    """The image of a process runs `scurry <process>`."""
    assert json.loads(last(name, "ENTRYPOINT")) == ["scurry"]
    assert json.loads(last(name, "CMD")) == command


def test_all_in_one_is_scurry_up() -> None:
    """`docker run` with nothing else starts everything, reachable from outside, data in /data."""
    command = json.loads(last("all-in-one", "CMD"))
    assert json.loads(last("all-in-one", "ENTRYPOINT")) == ["scurry"]
    assert command[0] == "up"
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert command[command.index("--dir") + 1] == "/data"
