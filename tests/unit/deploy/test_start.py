"""The script of the job's image starts each of Flink's processes as Flink's own scripts would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import ROOT

from scurry.job.jars import OPENS, Job
from scurry.serving.java import command

START = ROOT / "deploy" / "images" / "job" / "start"
JAVA = """#!/bin/sh
case "$*" in
  *BashJavaUtils*) [ -z "$REFUSES" ] || exit 1
    echo "asked $*" >>"$ASKED"
    echo noise
    echo "BASH_JAVA_UTILS_EXEC_RESULT:-Xmx100m -Xms100m"
    echo "BASH_JAVA_UTILS_EXEC_RESULT:-D memory=1b -D more=2b" ;;
  *) printf '%s\\n' "$@" ;;
esac
"""
Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Run the script with a Java that prints what it is given, a word a line."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text(JAVA)
    (tmp_path / "bin" / "java").chmod(0o755)
    (tmp_path / "lib").mkdir()
    for name in ("flink-dist-1.16.3.jar", "scurry-job.jar", "log4j.jar"):
        (tmp_path / "lib" / name).touch()

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin", "ASKED": str(tmp_path / "asked")}
        environ |= {"FLINK_LIB_DIR": str(tmp_path / "lib"), "FLINK_CONF_DIR": "/conf", **more}
        return subprocess.run([START, *words], env=environ, capture_output=True, text=True, check=False)

    return run


def words_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What Java was given."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def after(words: list[str], entry: str) -> list[str]:
    """What follows the class."""
    return words[words.index(entry) + 1 :]


def test_the_job_manager_gets_its_memory_and_what_it_was_told(start: Start, tmp_path: Path) -> None:
    """Settings and module reach the class; a savepoint travels as a setting, as `scurry job upgrade` gives it."""
    told = ["-Dexecution.savepoint.path=/state/savepoint-1", "--module", "/opt/statefun/module.yaml"]
    words = words_of(start("jobmanager", *told))
    assert after(words, "io.scurry.job.Standalone") == ["-D", "memory=1b", "-D", "more=2b", *told]
    assert {"-Xmx100m", "-Dlog4j.configurationFile=/conf/log4j-console.properties"} <= set(words)
    assert "GET_JM_RESOURCE_PARAMS --configDir /conf -Dexecution.savepoint.path" in (tmp_path / "asked").read_text()


def test_a_task_manager_reads_the_folder_of_settings(start: Start) -> None:
    """Flink's own class takes it as an option."""
    words = words_of(start("taskmanager", "-Dtaskmanager.host=10.0.0.7"))
    told = after(words, "org.apache.flink.runtime.taskexecutor.TaskManagerRunner")
    assert told == ["--configDir", "/conf", "-D", "memory=1b", "-D", "more=2b", "-Dtaskmanager.host=10.0.0.7"]


def test_both_in_one_process_run_as_scurry_up_runs_them(start: Start, tmp_path: Path) -> None:
    """The same flags of the JVM, its own log configuration, and the reporter also where it is a plug-in."""
    words = words_of(start("embedded", "--data", "/state"))
    place = Path("x")
    known = command("java", Job(place, place, place), place, ui_port=0, memory_mb=1024, checkpoint_interval="5s")
    flags = [word for word in known[: known.index("-cp")] if word.startswith("-X")]
    assert [word for word in words if word.startswith("-X")] == flags
    assert not [word for word in words if "log4j.configurationFile" in word]
    assert f"{tmp_path}/plugins/metrics-prometheus/*" in words[words.index("-cp") + 1].split(":")
    assert after(words, "io.scurry.job.Main") == ["--data", "/state"]


@pytest.mark.parametrize("role", ["jobmanager", "taskmanager", "embedded"])
def test_java_is_opened_and_flinks_own_jar_is_last(start: Start, tmp_path: Path, role: str) -> None:
    """What Flink 1.16 reaches into on Java 17; classes of ours win."""
    words = words_of(start(role))
    assert set(OPENS) <= set(words)
    assert words[words.index("-cp") + 1].split(":")[-1] == f"{tmp_path}/lib/flink-dist-1.16.3.jar"


def test_the_operator_starts_its_pods_by_it(start: Start, tmp_path: Path) -> None:
    """Native mode calls scripts of Flink's by name through a shell; the image has some of that name."""
    shown = words_of(start("kubernetes-jobmanager", "kubernetes-application", "-Da=b"))
    entry = "org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint"
    assert after(shown, entry) == ["-D", "memory=1b", "-D", "more=2b", "-Da=b"]
    tasks = words_of(start("kubernetes-taskmanager", "-Da=b", FLINK_TM_JVM_MEM_OPTS="-Xmx7m -Xms7m"))
    assert after(tasks, "org.apache.flink.kubernetes.taskmanager.KubernetesTaskExecutorRunner") == [
        "--configDir", "/conf", "-Da=b",
    ]  # fmt: skip
    assert {"-Xmx7m", "-Xms7m"} <= set(tasks)
    assert start("bash", "-c", "echo $PATH").stdout.startswith("/opt/scurry/bin:")


@pytest.mark.parametrize("words", [[], ["nonsense"], ["kubernetes-jobmanager", "kubernetes-session"]])
def test_what_it_does_not_know_it_says(start: Start, words: list[str]) -> None:
    """Status 2, and how it is used."""
    done = start(*words)
    assert done.returncode == 2
    assert "usage: start jobmanager" in done.stderr


def test_without_a_memory_it_says_where_to_look(start: Start) -> None:
    """Status 1 and a sentence, not a JVM of any size."""
    done = start("jobmanager", REFUSES="yes")
    assert done.returncode == 1
    assert "/conf/flink-conf.yaml" in done.stderr


def test_settings_that_look_like_patterns_stay_as_they_are(start: Start, tmp_path: Path) -> None:
    """Nothing is looked up among files."""
    assert "-Da=*" in words_of(start("jobmanager", "-Da=*", FLINK_ENV_JAVA_OPTS=f"-Dx={tmp_path}/*"))
    assert f"-Dx={tmp_path}/*" in words_of(start("jobmanager", FLINK_ENV_JAVA_OPTS=f"-Dx={tmp_path}/*"))
