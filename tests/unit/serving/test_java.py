"""Finding a Java, and how the job is started with it."""

import pytest

from scurry.job.jars import Job
from scurry.serving import java


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH with a java that is never run."""
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    return {"PATH": str(tmp_path)}


@pytest.mark.parametrize(
    ("text", "version"),
    [('openjdk version "17.0.15" 2025', 17), ('java version "1.8.0_392"', 8), ('openjdk version "21"', 21), ("", 0)],
)
def test_the_version_of_java_is_read(text, version):
    """In its old way of counting and in its new one."""
    assert java.parse_version(text) == version


def test_java_17_is_preferred_to_a_newer_one(tools):
    """Flink 1.16 was tried on 11 and 17."""
    environ = tools | {"JAVA_HOME": "/newer"}
    versions = {"/newer/bin/java": 21, f"{tools['PATH']}/java": 17}
    assert java.find(environ, versions.__getitem__) == f"{tools['PATH']}/java"


def test_a_newer_java_is_better_than_none(tools):
    """Where no other is."""
    assert java.find(tools, lambda path: 21) == f"{tools['PATH']}/java"


def test_without_java_the_sentence_says_what_to_install(tools):
    """Java 8 is none."""
    with pytest.raises(java.MissingJava, match=r"at least 11 .* openjdk-17-jre-headless"):
        java.find(tools, lambda path: 8)


def test_a_java_that_does_not_run_has_no_version():
    """It does not raise."""
    assert java.ask_version("/does/not/exist") == 0


def test_the_heap_is_what_was_asked_for(tmp_path):
    """And small at first, also where little was asked for."""
    job = Job(tmp_path / "a.jar", tmp_path / "m", tmp_path / "flink")
    command = java.command("java", job, tmp_path, ui_port=-1, memory_mb=200, checkpoint_interval="1s")
    assert {"-Xms200m", "-Xmx200m"} <= set(command)
    assert command[command.index("--ui-port") + 1] == "-1"
    assert command[command.index("io.scurry.job.Main") - 2 :][:2] == ["-cp", job.classpath][-2:]


def test_the_reporter_is_set_only_with_a_port():
    """Under the names that Flink has for it."""
    assert java.reporter(-1) == {}
    assert java.reporter(9249)["metrics.reporter.prom.port"] == "9249"
