"""What the processes logged."""

from __future__ import annotations

import pytest

from scurry.cli import logs
from scurry.cli.logs import Tail
from scurry.cli.main import main


@pytest.fixture
def folder(tmp_path):
    """Two logs, one longer than what is read at first."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "redis.log").write_text("up\n")
    (tmp_path / "logs" / "job.log").write_text("".join(f"{n} {'x' * 3000}\n" for n in range(30)))
    return tmp_path


def test_all_logs_are_told_apart(folder, capsys):
    """Each line bears its process."""
    assert main(["logs", "--dir", str(folder), "-n", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:14] for line in lines] == ["job       | 28", "job       | 29", "redis     | up"]


@pytest.mark.parametrize(("count", "first"), [(1, 29), (20, 10), (30, 0), (99, 0)])
def test_the_last_lines_of_one_are_shown(folder, count, first, capsys):
    """As they are, however long."""
    assert main(["logs", "job", "--dir", str(folder), "-n", str(count)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(first, 30))


def test_no_lines_are_none(folder, capsys):
    """For those who only follow."""
    assert main(["logs", "job", "--dir", str(folder), "-n", "0"]) == 0
    assert capsys.readouterr().out == ""


def test_a_kind_stands_for_all_of_it(folder, capsys):
    """With those that ended; each log comes once."""
    for name in ("gateway", "gateway-0", "gateway-1"):
        (folder / "logs" / f"{name}.log").write_text(f"{name} said\n")
    assert main(["logs", "gateway", "gateway-1", "redis", "--dir", str(folder)]) == 0
    lines = [line.partition("|")[2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [" gateway said", " gateway-0 said", " gateway-1 said", " up"]
    assert main(["logs", "gateway-1", "--dir", str(folder)]) == 0
    assert capsys.readouterr().out == "gateway-1 said\n"


def test_a_log_that_is_not_there_is_said(folder, tmp_path, capsys):
    """With those there are."""
    assert main(["logs", "worker-7", "--dir", str(folder)]) == 1
    assert "no log of 'worker-7'" in capsys.readouterr().err
    assert main(["logs", "--dir", str(tmp_path / "none")]) == 1
    assert "no logs in" in capsys.readouterr().err


def test_following_shows_whole_lines_as_they_come(folder):
    """A line that is half written waits; a log put aside is begun anew, one cut short as well."""
    path = folder / "logs" / "redis.log"
    tail = Tail(path, "")
    assert tail.last(9) == ["up"]
    with path.open("a") as log:
        log.write("one\ntw")
        log.flush()
        assert list(tail.more()) == ["one"]
        log.write("o\n")
    assert list(tail.more()) == ["two"]
    path.rename(path.with_suffix(".log.1"))
    assert list(tail.more()) == []
    path.write_text("anew\n")
    assert list(tail.more()) == ["anew"]
    path.write_text("")
    assert list(tail.more()) == []
    path.write_text("a\n")
    assert list(tail.more()) == ["a"]


def test_following_ends_with_ctrl_c(folder, capsys, monkeypatch):
    """After what there was, and what came."""

    path, beats = folder / "logs" / "redis.log", iter((True, False))

    def come(_):
        if not next(beats):
            raise KeyboardInterrupt
        with path.open("a") as log:
            log.write("late\n")

    monkeypatch.setattr(logs.time, "sleep", come)
    assert main(["logs", "redis", "-f", "--dir", str(folder)]) == 130
    assert capsys.readouterr().out == "up\nlate\n"


def test_only_what_is_wanted_is_shown(tmp_path, capsys):
    """The last of those that are; a line that is half written is none."""
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "gateway.log"
    path.write_text("".join(f"ts=2026 level=info request=r-{n % 3} n={n}\n" for n in range(90)) + "ts=2026 request=r-1")
    assert main(["logs", "gateway", "--dir", str(tmp_path), "--request", "r-1", "-n", "2"]) == 0
    assert [line.rpartition("=")[2] for line in capsys.readouterr().out.splitlines()] == ["85", "88"]
    tail = Tail(path, "", logs.Wanted(request="r-1"))
    assert len(tail.last(99)) == 30
    with path.open("a") as log:
        log.write(" late=yes\nts=2026 request=r-2\n")
    assert list(tail.more()) == ["ts=2026 request=r-1 late=yes"]
    assert main(["logs", "--dir", str(tmp_path), "--since", "soon"]) == 2
