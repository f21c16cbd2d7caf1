"""What `import scurry` gives, and what it costs."""

import subprocess
import sys

import pytest

import scurry


def test_the_face_is_pinned():
    """Adding a name is a decision."""
    assert sorted(scurry.__all__) == [
        "BlockingClient", "Client", "Failed", "InvalidRequest", "Model", "NotFound", "ScurryError", "Unavailable",
    ]  # fmt: skip
    assert scurry.Client.__name__ == "Client"
    assert scurry.BlockingClient.__name__ == "BlockingClient"
    assert scurry.Model.__name__ == "Model"


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = scurry.Server


@pytest.mark.parametrize(
    "code",
    ["import scurry", "import scurry.cli.main", "from scurry import BlockingClient, Client, Model; Client().registry"],
)
def test_importing_stays_light(code):
    """No numpy, no aiohttp, no redis-py until they are needed."""
    heavy = "[name for name in ('numpy', 'aiohttp', 'redis', 'onnxruntime') if name in sys.modules]"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print({heavy})"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
