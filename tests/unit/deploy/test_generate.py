"""What is made from something else says what that says, and kustomize builds it."""

from __future__ import annotations

import shutil
import subprocess

import chart
import check
import generate
import pytest
import yaml
from tests.unit.deploy.rendered import environment, find, needs_helm, requested, surge

OVERLAYS = ("dev", "prod")
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on the PATH")


def test_the_chart_holds_copies_of_the_files_themselves() -> None:
    """module.yaml comes from the repository's root, byte for byte, the dashboard and the alerts likewise."""
    assert {path.name for path in generate.FILES.iterdir()} == {path.name for path in generate.copied()}
    for path, text in generate.copied().items():
        assert path.read_text() == text, "run: make manifests"


@needs_helm
def test_what_helm_renders_is_up_to_date() -> None:
    """The kustomizations' base and the digests are those of the chart as it is."""
    expected = generate.rendered()
    assert set(generate.GOLDEN.iterdir()) == {path for path in expected if path.parent == generate.GOLDEN}
    for path, text in expected.items():
        assert path.read_text() == text, f"{path.name}: run: make manifests"


def built(overlay: str) -> list[chart.Document]:
    """What kustomize makes of an overlay."""
    command = ["kubectl", "kustomize", str(generate.KUSTOMIZE / overlay)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_builds_what_holds(overlay: str) -> None:
    """The same rules as for the chart; the namespace comes first, and everything lies in it."""
    objects = built(overlay)
    assert [text for one in objects for text in check.violations(one)] == []
    assert objects[0]["kind"] == "Namespace"
    assert {one["metadata"].get("namespace", "scurry") for one in objects} == {"scurry"}
    assert len({(one["kind"], one["metadata"]["name"]) for one in objects}) == len(objects)


@needs_kubectl
def test_the_trial_fits_on_two_cores_and_eight_gib() -> None:
    """What its pods ask for leaves the node's own something, also while the largest of them is replaced."""
    objects = built("dev")
    assert requested(objects, "cpu") + surge(objects, "cpu") <= 1.6
    assert requested(objects, "memory") + surge(objects, "memory") <= 7.25 * 2**30
    assert not any(one["kind"] == "HorizontalPodAutoscaler" for one in objects)


@needs_kubectl
def test_an_overlay_changes_variables_and_loses_none() -> None:
    """A worker of the trial is told all that one of production is."""
    told = {overlay: environment(find(built(overlay), "Deployment", "workers")) for overlay in OVERLAYS}
    assert told["dev"].keys() == told["prod"].keys()
    assert told["dev"]["SCURRY_MEMORY_MB"] == "768"


@needs_kubectl
def test_only_the_trial_brings_a_redis_and_its_secret() -> None:
    """In production the Secret is the operator's, who makes it himself."""
    kinds = {overlay: {one["kind"] for one in built(overlay)} for overlay in OVERLAYS}
    assert {"Secret", "StatefulSet"} <= kinds["dev"]
    assert not {"Secret", "StatefulSet"} & kinds["prod"]
