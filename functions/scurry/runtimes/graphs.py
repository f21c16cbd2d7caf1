"""Whether a graph's work depends on values, not on shapes alone.

Such a model was quick a thousand times and takes a minute the next time. Told by the names of operators, as the three
formats spell them: ONNX (`NodeProto.op_type` is field 4: a tag, a length, letters), ORT's flatbuffers (a length of four
bytes, letters, a zero) and OpenVINO's IR (`type="…"`). A name that means something else costs a thread, no more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

OPERATORS: Final = (
    *("Loop", "Scan", "If", "ConstantOfShape", "Range", "Expand", "Tile", "NonZero", "Resize"),
    *("TensorIterator", "Broadcast", "Interpolate"),
)
LOOKED_AT: Final = (".onnx", ".ort", ".xml")
LARGEST_BYTES: Final = 16 << 20
"""A larger file is not looked at: what it holds takes too long to be run between other things anyway."""


def _spellings(name: str) -> tuple[bytes, ...]:
    letters = name.encode()
    size = bytes([len(letters)])
    return b"\x22" + size + letters, size + b"\0\0\0" + letters + b"\0", b'type="' + letters + b'"'


_ANY: Final = re.compile(b"|".join(re.escape(each) for name in OPERATORS for each in _spellings(name)))


def depends_on_values(path: Path) -> bool:
    """Whether it may, or is of a format that is not looked at. Reads the file: belongs off the event loop."""
    if path.suffix not in LOOKED_AT or path.is_dir():
        return True
    return path.stat().st_size > LARGEST_BYTES or _ANY.search(path.read_bytes()) is not None
