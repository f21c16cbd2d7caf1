"""What the operator is told, and what is made of its answers."""

from __future__ import annotations

import json

import pytest

from scurry.serving import flink_operator
from scurry.serving.flink_operator import Operator, state_of
from scurry.wire.errors import Failed, Unavailable


def deployment(lifecycle, state="RUNNING", place="", seen=2, error=""):
    """A FlinkDeployment as `kubectl get` shows it."""
    return {
        "metadata": {"generation": 2},
        "spec": {"job": {"parallelism": 2}},
        "status": {
            "lifecycleState": lifecycle, "observedGeneration": seen, "error": error,
            "jobStatus": {"state": state, "savepointInfo": {"lastSavepoint": {"location": place}}},
        },
    }  # fmt: skip


class Kubectl:
    """Answers from a list, the last of it for ever; keeps the patches."""

    def __init__(self, *answers):
        self.patches, self._answers = [], list(answers)

    async def __call__(self, words, given=""):
        if "patch" in words:
            self.patches.append(json.loads(words[-1])["spec"])
            return ""
        return json.dumps(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])


@pytest.fixture
def answers(monkeypatch):
    """Sets what kubectl answers; nobody waits."""
    monkeypatch.setattr(flink_operator, "POLL_S", 0)

    def script(*told):
        kubectl = Kubectl(*told)
        monkeypatch.setattr(flink_operator, "run", kubectl)
        return kubectl

    return script


def operator(patience_s=5):
    """One deployment."""
    return Operator("scurry", "scurry", patience_s)


def quiet(_):
    """Tells nobody."""


async def test_a_savepoint_is_there_when_its_place_is_another(answers):
    """By a number that was not there before."""
    kubectl = answers(*(deployment("STABLE", place=place) for place in ("s0", "s0", "s1")))
    assert await operator().savepoint(quiet) == "s1"
    assert kubectl.patches[0]["job"]["savepointTriggerNonce"] > 0


async def test_a_stop_is_a_suspension_with_a_savepoint(answers):
    """Told once the operator says so."""
    kubectl = answers(deployment("STABLE"), deployment("SUSPENDED", "FINISHED", "s1"))
    assert await operator().stop(quiet) == "s1"
    assert kubectl.patches == [{"job": {"state": "suspended", "upgradeMode": "savepoint"}}]


async def test_a_rescale_is_over_when_the_new_spec_was_seen_and_runs(answers):
    """A state that was told of the spec before is none."""
    kubectl = answers(deployment("STABLE", seen=1), deployment("UPGRADING", "RECONCILING"), deployment("STABLE"))
    assert (await operator().rescale(4, quiet))["lifecycle"] == "STABLE"
    assert kubectl.patches == [{"job": {"parallelism": 4, "upgradeMode": "savepoint"}}]


async def test_an_upgrade_restarts_what_only_a_configmap_changed(answers, tmp_path, monkeypatch):
    """After the change was made."""
    kubectl = answers(deployment("STABLE"))
    changes = []

    async def change(command):
        changes.append((command, len(kubectl.patches)))

    monkeypatch.setattr(flink_operator, "shell", change)
    await operator().upgrade("kubectl apply -k .", quiet)
    assert changes == [("kubectl apply -k .", 0)]
    assert kubectl.patches[0]["restartNonce"] > 0


async def test_a_failure_has_the_operators_reason(answers):
    """Its time is told where there is none."""
    answers(deployment("FAILED", "FAILED", error="ImagePullBackOff."))
    with pytest.raises(Failed, match=r"FAILED: ImagePullBackOff\."):
        await operator().rescale(4, quiet)
    answers(deployment("UPGRADING", "RECONCILING"))
    with pytest.raises(Unavailable, match="kubectl describe flinkdeployment/scurry"):
        await operator(0.01).rescale(4, quiet)


def test_a_new_deployment_says_nothing_yet():
    """Fields that are not there are empty."""
    assert state_of({"metadata": {"generation": 1}})["lifecycle"] == ""
