"""The rehearsal of the images asks for what it should and finds what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "deploy" / "images"))

import checks
import containers
import parts
import smoke

STATUS = (
    "Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapInh:\t0\nCapPrm:\t{cap}\nCapEff:\t{cap}\nCapBnd:\t{cap}\n"
    "CapAmb:\t0\nNoNewPrivs:\t{no_new}\n"
)
MOUNTS = "21 20 0:19 / / {mode},relatime - overlay overlay rw\n22 21 0:20 / /tmp rw,nosuid - tmpfs tmpfs rw\n"
LABELS = {f"org.opencontainers.image.{name}": "x" for name in checks.LABELS}


def image(root: Path, **more: Any) -> Any:
    """An image with these files; its configuration as buildah tells it."""
    config = {"User": "10001:10001", "Env": ["A=b"], "Entrypoint": ["scurry"], "Labels": LABELS, **more}
    user = int(config["User"].partition(":")[0])
    return SimpleNamespace(name="image", root=root, config=config, user=user)


@pytest.mark.parametrize(
    ("facts", "mode", "wrong"),
    [
        ({"uid": 10001, "cap": "0", "no_new": 1}, "ro", []),
        ({"uid": 7, "cap": "0", "no_new": 1}, "ro", ["is not user 10001"]),
        ({"uid": 0, "cap": "0", "no_new": 1}, "ro", ["is not user 10001", "is root"]),
        ({"uid": 10001, "cap": "400", "no_new": 1}, "ro", ["has capabilities"]),
        ({"uid": 10001, "cap": "0", "no_new": 0}, "ro", ["may gain privileges"]),
        ({"uid": 10001, "cap": "0", "no_new": 1}, "rw", ["may write into its root"]),
    ],
)
def test_a_process_that_may_too_much_is_found(facts: dict[str, Any], mode: str, wrong: list[str]) -> None:
    """By what the kernel says of it, not by what it was asked for."""
    assert containers.liberties(STATUS.format(**facts), MOUNTS.format(mode=mode), 10001) == wrong


def test_a_container_is_asked_for_as_the_restricted_standard_wants_it(tmp_path: Path) -> None:
    """Its user, a read-only root, one place to write, no capability, the image's words before the pod's."""
    volume = tmp_path / "volume"
    plan = containers.Plan("gateway", ["gateway"], 64, 1, {"C": "d"}, {"/in": volume}, {"/out": volume})
    spec = containers.spec(image(tmp_path), plan, tmp_path / "hosts", "group")
    process = spec["process"]
    assert process["args"] == ["scurry", "gateway"]
    assert process["env"] == ["A=b", "C=d"]
    assert (process["user"]["uid"], process["noNewPrivileges"]) == (10001, True)
    assert not any(process["capabilities"].values())
    assert spec["root"] == {"path": str(tmp_path), "readonly": True}
    assert spec["linux"]["resources"]["memory"]["limit"] == 64 << 20
    writable = {each["destination"] for each in spec["mounts"] if "ro" not in each["options"]}
    assert writable - {"/proc", "/dev", "/dev/shm"} == {"/tmp", "/out"}


def test_a_command_that_fails_says_why() -> None:
    """What it printed about it, in the sentence."""
    with pytest.raises(containers.Wrong, match="sh -c echo no >&2; exit 3 failed: no"):
        containers.said("sh", "-c", "echo no >&2; exit 3")


def packed(root: Path, classes: tuple[str, ...]) -> None:
    """A job's image: its jars, its folder of state, its list."""
    for folder in ("opt/scurry", "opt/flink/lib", "opt/flink/state"):
        (root / folder).mkdir(parents=True)
    (root / "opt/scurry/packages.txt").touch()
    with zipfile.ZipFile(root / "opt/flink/lib/one.jar", "w") as jar:
        for name in classes:
            jar.writestr(name, b"")


def test_what_an_image_lacks_is_found(tmp_path: Path) -> None:
    """Labels, the list of packages, a user, the classes that settings name."""
    packed(tmp_path / "job", checks.NAMED)
    owner = (tmp_path / "job/opt/flink/state").stat().st_uid
    state = "image cannot write into a new volume at /opt/flink/state"
    assert checks.contents(image(tmp_path / "job")) == ([] if owner == 10001 else [state])
    packed(tmp_path / "poor", checks.NAMED[1:])
    assert f"image has no {checks.NAMED[0]}" in checks.contents(image(tmp_path / "poor"))
    assert checks.contents(image(tmp_path, User="0", Labels=None)) == [
        *(f"image has no label {name}" for name in checks.LABELS),
        "image runs as root",
        "image has no list of packages",
    ]


def test_every_process_of_an_image_is_rehearsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each target but the one for newcomers, in the order in which one needs the other; both ways of the job."""
    monkeypatch.setattr(parts.os, "chown", lambda *_: None)
    monkeypatch.setattr(parts.shutil, "chown", lambda *_: None)
    volumes = parts.Volumes(tmp_path / "volumes")
    started = [(part.image, part.plan.name) for part in parts.parts(volumes)]
    assert started == [("functions", "functions"), ("worker", "worker"), ("job", "jobmanager"),
                       ("job", "taskmanager"), ("gateway", "gateway")]  # fmt: skip
    assert parts.embedded(volumes).plan.args[0] == "embedded"
    plans = [part.plan for part in parts.parts(volumes)]
    places = {path for plan in plans for path in (*plan.mounts.values(), *plan.writable.values())}
    assert all(path.is_dir() for path in places)
    assert json.loads((volumes.declared / "models.json").read_text())["models"]["double"]["versions"]


def test_where_it_cannot_be_tried_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Status 77, and the reason."""
    monkeypatch.setattr(smoke.os, "geteuid", lambda: 1000)
    assert smoke.main() == 77
    assert capfd.readouterr().out == "smoke: left out: not root\n"
    monkeypatch.setattr(smoke.os, "geteuid", lambda: 0)
    monkeypatch.setattr(smoke.shutil, "which", lambda name: None if name == "runc" else name)
    assert smoke.lacks() == "no runc"


def test_the_scripts_can_be_read_by_a_shell() -> None:
    """Executable, and without a mistake that a shell sees."""
    for name in ("build", "smoke"):
        script = ROOT / "deploy" / "images" / name
        assert script.stat().st_mode & 0o111
        subprocess.run(["bash", "-n", script], check=True)
