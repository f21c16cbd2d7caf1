"""The generated code in functions/ is what protos/ says."""

from __future__ import annotations

import filecmp
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "protos").rglob("*.proto"))


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Python side of every proto, made just now."""
    protoc = pytest.importorskip("grpc_tools.protoc")
    folder = tmp_path_factory.mktemp("generated")
    arguments = ["protoc", f"-I{ROOT / 'protos'}", f"--python_out={folder}", f"--pyi_out={folder}"]
    assert protoc.main([*arguments, *map(str, PROTOS)]) == 0
    return folder


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.name)
@pytest.mark.parametrize("suffix", ["_pb2.py", "_pb2.pyi"])
def test_generated_code_is_up_to_date(regenerated: Path, proto: Path, suffix: str) -> None:
    """Regenerating a proto changes nothing."""
    name = proto.relative_to(ROOT / "protos").with_name(proto.stem + suffix)
    assert filecmp.cmp(regenerated / name, ROOT / "functions" / name, shallow=False), "run: make protos"


def test_no_generated_file_without_its_proto() -> None:
    """Every generated file still has the proto it was made from."""
    made = {path.relative_to(ROOT / "functions") for path in (ROOT / "functions").rglob("*_pb2.py")}
    assert made == {path.relative_to(ROOT / "protos").with_name(path.stem + "_pb2.py") for path in PROTOS}


def bare_fields(text: str) -> list[str]:
    """Lines with more fields than comments; one comment at the end of a line serves its last field."""
    field = re.compile(r"[\w>] \w+ = \d+;")
    return [line for line in text.splitlines() if len(field.findall(line)) > len(re.findall(r"/\*|//", line))]


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.name)
def test_every_field_has_a_comment(proto: Path) -> None:
    """A field says on its own line what it is for."""
    assert bare_fields(proto.read_text()) == []


def test_a_bare_field_is_found() -> None:
    """The search for missing comments can fail."""
    assert bare_fields("  map<string, int32> a = 1;") and bare_fields("{ string a = 1; string b = 2; /* b */ }")
    assert not bare_fields("  string a = 1;  // what it is")
