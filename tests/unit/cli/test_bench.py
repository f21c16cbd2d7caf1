"""The words of `scurry bench`, and its table."""

from __future__ import annotations

import json

import pytest

from scurry.bench.figures import figures
from scurry.bench.load import Tally
from scurry.bench.requests import Input
from scurry.bench.run import Bench, Shape
from scurry.cli import bench as verb
from scurry.cli.main import main, parser


def words(*given: str):
    """Arguments as parsed."""
    return parser(["bench", *given]).parse_args(["bench", *given])


def measured(**more):
    """The figures of one second with one answer."""
    tally = Tally(seconds=1.0, cpu=0.1, answered=1, **more)
    tally.latencies.append(0.001)
    return figures(tally, door="redis", load="3 callers", models=1, size=64)


@pytest.fixture
def run(monkeypatch):
    """What the load generator measures, without running it."""
    result = [measured()]

    async def measure(self, shapes, tell):
        return result

    monkeypatch.setattr(Bench, "run", measure)
    return result


def test_the_words_become_a_bench():
    """Inputs with their shape, the gateway only for its own door."""
    made = verb.bench(words("m", "--input", "x:FP32:-1x4", "--redis-url", "redis://r:1/0"))
    assert (made.models, made.url, list(made.inputs)) == (["m"], "", [Input("x", "FP32", (-1, 4))])
    assert verb.bench(words("m", "--door", "http", "--url", "http://g:1")).url == "http://g:1"
    assert verb.bench(words("m", "--door", "http")).url == "http://127.0.0.1:8000"
    assert verb.bench(words("m", "--door", "grpc")).url == "grpc://127.0.0.1:8001"


def test_several_callers_are_several_loads():
    """A rate is one."""
    assert verb.shapes(words("m", "--callers", "1,8")) == [Shape(callers=1), Shape(callers=8)]
    assert verb.shapes(words("m", "--rate", "50")) == [Shape(rate=50.0)]


def test_the_table_has_a_line_for_each_load(run, capsys):
    """Numbers are rounded for people."""
    assert main(["bench", "m"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert "requests/s" in header
    assert "3 callers" in line


def test_a_failed_request_is_said_and_exits_with_1(run, capsys):
    """With how many of which code."""
    run[0] = measured(lost=2, strays=1)
    assert main(["bench", "m"]) == 1
    assert "2 never answered, 1 answers to nobody" in capsys.readouterr().err


def test_json_goes_to_stdout_or_a_file(run, capsys, tmp_path):
    """The table stays when a file is named."""
    assert main(["bench", "m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["load"] == "3 callers"
    assert main(["bench", "m", "--json", str(tmp_path / "f.json")]) == 0
    assert json.loads((tmp_path / "f.json").read_text())[0]["failed"] == 0
    assert "3 callers" in capsys.readouterr().out


def test_an_address_of_another_door_is_refused(run, capsys):
    """It would be another protocol at the other's port."""
    assert main(["bench", "m", "--door", "grpc", "--url", "http://g:1"]) == 1
    assert "--url http://g:1 is not for --door grpc" in capsys.readouterr().err


def test_tensors_in_json_are_for_http(run, capsys):
    """Over Redis the flag would do nothing, and the figures would be taken for something else."""
    assert verb.bench(words("m", "--door", "http", "--json-tensors")).lists
    assert main(["bench", "m", "--json-tensors"]) == 1
    assert "--json-tensors is for --door http" in capsys.readouterr().err
