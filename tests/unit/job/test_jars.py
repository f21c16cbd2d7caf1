"""Finding the job's files."""

import os
import re
from xml.etree import ElementTree

import pytest

from scurry.job import jars


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


def test_flinks_reporter_is_a_plugin_of_whatever_flink_there_is(tmp_path, monkeypatch):
    """On the class path when it is wanted; where it is missing, one sentence says where to get it."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "flink-core-1.16.3.jar").touch()
    monkeypatch.setattr(jars, "flink_folders", lambda _: [tmp_path / "lib"])
    with pytest.raises(jars.MissingJob, match="plugins/metrics-prometheus"):
        jars.find_reporter({})
    place = tmp_path / "plugins" / "metrics-prometheus"
    place.mkdir(parents=True)
    (place / "flink-metrics-prometheus-1.16.3.jar").touch()
    reporter = jars.find_reporter({})
    assert reporter.parent == place
    assert jars.Job(tmp_path, tmp_path, tmp_path, reporter).classpath.endswith(f":{reporter}")


def test_flinks_reporter_lies_with_our_own_flink(tmp_path, monkeypatch):
    """So that nothing has to be installed for it; a cluster has its own plugin, and our jar none."""
    names = {"m": "http://maven.apache.org/POM/4.0.0"}
    found = ElementTree.parse(jars.CHECKOUT / "job" / "pom.xml").findall("m:dependencies/m:dependency", names)
    scopes = {each.findtext("m:artifactId", "", names): each.findtext("m:scope", "", names) for each in found}
    assert scopes["flink-metrics-prometheus"] == "provided"
    home, ours = tmp_path / "home" / "lib", tmp_path / "ours"
    for folder in (home, ours):
        folder.mkdir(parents=True)
    (ours / "flink-metrics-prometheus-1.16.1.jar").touch()
    monkeypatch.setattr(jars, "flink_folders", lambda _: [home, ours])
    assert jars.find_reporter({}).parent == ours
