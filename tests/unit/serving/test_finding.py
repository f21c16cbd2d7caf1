"""Finding Java, Redis and the job's files."""

import os
import re

import pytest

from scurry.job import jars
from scurry.serving import java, redis_server


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH with a java and a redis-server that are never run."""
    for name in ("java", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
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


def test_an_old_redis_is_passed_over(tools):
    """6.2 is the oldest that will do."""
    assert redis_server.find(tools, lambda path: (6, 2)).endswith("redis-server")
    with pytest.raises(redis_server.MissingRedis, match="--redis-url"):
        redis_server.find(tools, lambda path: (6, 0))


def test_a_program_that_does_not_run_has_no_version():
    """Neither raises."""
    assert java.ask_version("/does/not/exist") == 0
    assert redis_server.ask_version("/does/not/exist") == (0, 0)


def test_the_jar_of_the_wheel_wins_over_the_checkouts(tmp_path, monkeypatch):
    """And FLINK_HOME over Flink's jars beside them."""
    package, checkout, home = tmp_path / "package", tmp_path / "checkout", tmp_path / "home"
    for file in (
        package / "scurry-job.jar",
        checkout / "job/target/scurry-job.jar",
        checkout / "module.yaml",
        checkout / "job/target/flink/flink-core.jar",
        home / "lib/flink-dist.jar",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setattr(jars, "PACKAGE", package)
    monkeypatch.setattr(jars, "CHECKOUT", checkout)
    found = jars.find({})
    assert found.jar == package / "scurry-job.jar"
    assert found.module == checkout / "module.yaml"
    assert found.flink == checkout / "job/target/flink"
    assert jars.find({"FLINK_HOME": str(home)}).flink == home / "lib"


def test_what_is_missing_is_said_with_the_cure(tmp_path, monkeypatch):
    """One sentence each for jar, module and Flink."""
    monkeypatch.setattr(jars, "PACKAGE", tmp_path)
    monkeypatch.setattr(jars, "CHECKOUT", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(jars.MissingJob, match="make jar"):
        jars.find({})
    (tmp_path / "scurry-job.jar").touch()
    with pytest.raises(jars.MissingJob, match=r"no file /no/module\.yaml"):
        jars.find({}, "/no/module.yaml")
    with pytest.raises(jars.MissingJob, match=r"no module\.yaml"):
        jars.find({})
    (tmp_path / "module.yaml").touch()
    with pytest.raises(jars.MissingJob, match="FLINK_HOME"):
        jars.find({})


def test_the_pom_opens_the_same_packages():
    """The list stands twice; this holds them together."""
    pom = jars.CHECKOUT / "job" / "pom.xml"
    opens = re.findall(r"--add-opens=\S+?=ALL-UNNAMED", pom.read_text())
    assert set(jars.OPENS) == set(opens)


def test_the_classpath_names_our_jar_first(tmp_path):
    """So that its classes win."""
    job = jars.Job(tmp_path / "a.jar", tmp_path / "m", tmp_path / "flink")
    assert job.classpath.split(os.pathsep)[0] == str(tmp_path / "a.jar")
