"""What the documentation says holds: links, codes, fields, verbs and keys."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from scurry import settings
from scurry.cli.main import parser
from scurry.gateway.doors.paths import operation_of
from scurry.gateway.status import STATUSES
from scurry.registry.update import read
from scurry.runtimes.catalog import RUNTIMES
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable
from scurry.wire.messages_pb2 import Update
from scurry.wire.pools import VARIABLE

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
EVERYTHING = "\n".join(page.read_text() for page in PAGES)


def section(title: str) -> str:
    """The part of protocol.md under a heading."""
    return PROTOCOL.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def anchors(page: Path) -> set[str]:
    """The fragments that the headings of a page make."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file of this checkout, a fragment one of its headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+://", target):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name}: {target}"
        assert not fragment or fragment in anchors(file), f"{page.name}: {target}"


def test_every_decision_is_in_the_list() -> None:
    """Once, by its number."""
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\1-[^)]+)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert sorted(name for _, name in listed) == sorted(path.name for path in folder.glob("0*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_is_reachable_from_the_readme(page: Path) -> None:
    """Somebody who follows links from README.md finds every page."""
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        here = todo.pop().resolve()
        if here in seen:
            continue
        seen.add(here)
        links = re.findall(r"\]\(([^)\s#]+)", here.read_text())
        targets = [here.parent / link for link in links if "://" not in link]
        todo += [path for target in targets for path in (target.glob("*.md") if target.is_dir() else [target])
                 if path.suffix == ".md" and path.exists()]  # fmt: skip
    assert page in seen or page.name == "CHANGELOG.md"


def test_the_table_of_codes_is_the_gateways() -> None:
    """Code, HTTP status and gRPC status in docs/protocol.md are those the gateway answers with."""
    table = {row[0].strip("`"): (int(row[1]), row[2]) for row in rows(section("Error codes"))}
    assert table == {code: (status.http, status.grpc) for code, status in STATUSES.items()}


def test_every_code_that_can_be_raised_is_in_the_table() -> None:
    """Code by code, the tree of errors is documented."""
    codes = {code for kind in (InvalidRequest, NotFound, Unavailable, Failed) for code in kind.codes}
    assert codes == {row[0].strip("`") for row in rows(section("Error codes"))}


def updates() -> list[str]:
    """Each example of a registry message."""
    return [row[0].strip("`") for row in rows(section("Registry messages"))]


@pytest.mark.parametrize("update", updates())
def test_every_registry_message_is_understood(update: str) -> None:
    """The registry reads each example of the documentation."""
    assert read(Update(model="iris", json=update)).WhichOneof("change") == next(iter(json.loads(update)))


def test_every_change_is_documented() -> None:
    """No verb of the registry is missing from the documentation."""
    documented = {next(iter(json.loads(update))) for update in updates()}
    assert documented == {field.name for field in Update.DESCRIPTOR.oneofs_by_name["change"].fields}


def test_every_runtime_is_documented() -> None:
    """The runtimes named are the ones there are."""
    assert all(f"`{name}`" in section("Registry messages") for name in RUNTIMES)


def test_every_request_field_is_read_by_the_job() -> None:
    """A documented field of a request or registry message occurs in the ingress' parser."""
    ingress = ROOT / "job/src/main/java/io/scurry/job/ingress"
    parser = (ingress / "EntryParser.java").read_text() + (ingress / "Bodies.java").read_text()
    fields = {name for row in rows(section("Requests")) for name in re.findall(r"`(\w+)`", row[0])}
    assert {name for name in fields | {"kind", "update"} if f'"{name}"' not in parser} == set()
    assert set(re.findall(r'fields\.\w+\("(\w+)"', parser)) <= fields | {"kind", "update"}


@pytest.mark.parametrize("entry", [part for row in rows(section("HTTP")) for part in re.findall(r"`([^`]+)`", row[0])])
def test_every_path_is_served(entry: str) -> None:
    """The gateway knows each documented method and path."""
    method, path = entry.split()
    assert operation_of(method, path.replace("<model>", "iris").replace("<version>", "1")).name


def test_every_make_verb_exists() -> None:
    """`make x` in the documentation is a verb of the Makefile."""
    verbs = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z0-9]+)", EVERYTHING, re.MULTILINE))
    assert named <= verbs


def commands() -> list[str]:
    """Every `scurry …` command in the documentation's shell blocks."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", EVERYTHING, re.DOTALL))
    inline = re.findall(r"`(scurry [a-z]+ [^`]*)`", EVERYTHING)
    return [*re.findall(r"^(?:\.venv/bin/)?(scurry .+)$", blocks, re.MULTILINE), *inline]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_understood(command: str) -> None:
    """The command line takes each command of the documentation; `…` stands for a value."""
    words = shlex.split(command.replace("$PWD", "/tmp").replace("--redis-url …", "--redis-url redis://…"))[1:]
    assert parser(words).parse_args(words).verb == words[0]


def test_every_setting_named_exists() -> None:
    """A SCURRY_ variable in the documentation is one that some process reads."""
    named = {one for one in re.findall(r"SCURRY_[A-Z_]+[A-Z]", EVERYTHING) if not one.startswith("SCURRY_TEST_")}
    assert {one for one in named if not VARIABLE.fullmatch(one)} <= settings.variables()
