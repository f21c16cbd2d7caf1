"""What lies at a source and how it gets here, through fsspec.

Of a directory the first of these that holds anything is one version's: `<uri>/<name>/<version>/`, `<uri>/<version>/`,
`<uri>/`. All below it is copied, as it lies. Of a file, what is called after it comes along, and configs and checksums
beside it. Triton's `config.pbtxt` in the directory above a version comes too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from scurry.sources.listing import MOST, Item, Listing, item, listing
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scurry.sources.allowed import Address, Allowed
    from scurry.sources.progress import Progress

BESIDE: Final = frozenset({"config.json", "config.pbtxt", "SHA256SUMS", "manifest.json"})
ABOVE: Final = "config.pbtxt"
TIMEOUTS: Final = {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 1}}
OPTIONS: Final[dict[str, dict[str, Any]]] = {"s3": {"config_kwargs": TIMEOUTS}, "s3a": {"config_kwargs": TIMEOUTS}}
"""By scheme. Addresses of servers and credentials come by the environment variables that the libraries know."""
EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


class Remote(Protocol):
    """One kind of source."""

    def list(self, place: Address, model: str, version: str) -> Listing:
        """The files of a version as they are just now."""
        ...

    def get(self, found: Item, target: Path, progress: Progress) -> None:
        """Copy one of them."""
        ...


class Store:
    """An object store, or any other file system that lists what it holds."""

    def __init__(self, scheme: str, allowed: Allowed) -> None:
        self._fs = filesystem(scheme, **OPTIONS.get(scheme, {}))
        self._allowed = allowed

    def list(self, place: Address, model: str, version: str) -> Listing:
        """The files of a version as they are just now. Raises `load_failed`, and what the store raises."""
        self._fs.invalidate_cache()
        for directory in (place.below(model, version), place.below(version)):
            if found := self._below(directory):
                return listing(directory.leaf, {**self._above(directory), **found})
        near = self._near(place)
        if not near:  # nothing, or a file
            return self._file(place)
        if not any(info["type"] == "file" for info in near.values()) and len(near) > 1:
            raise Failed("load_failed", f"{place} holds no model: looked in it, in {model}/{version} and in {version}.")
        return listing(place.leaf, {**self._above(place), **self._below(place)})

    def get(self, found: Item, target: Path, progress: Progress) -> None:
        """Copy one of them."""
        self._fs.get_file(found.source, str(target), callback=progress)

    def _below(self, directory: Address) -> dict[str, Item]:
        """Every file below a directory, by its name from there."""
        root = self._path(directory)
        files = {path: info for path, info in self._find(root).items() if path.startswith(f"{root}/")}
        return dict(_items(files, directory.leaf, len(root) + 1))

    def _find(self, root: str) -> dict[str, Any]:
        found: dict[str, Any] = self._fs.find(root, detail=True)
        if len(found) > 2 * MOST:
            raise Failed("load_failed", f"There are more than {MOST:,} files below {root}.")
        return found

    def _near(self, place: Address) -> dict[str, Any]:
        """What lies directly in a directory; nothing when it is none."""
        path = self._path(place)
        try:
            entries = self._fs.ls(path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {each["name"]: each for each in entries if each["name"].rstrip("/").startswith(f"{path}/")}

    def _file(self, place: Address) -> Listing:
        """A file and what belongs to it."""
        if not place.names or self._path(place) not in (beside := self._near(place.parent)):
            raise Failed("load_failed", f"There is no file or directory {place}.")
        folder, leaf = place.parent, place.leaf
        files = {
            path: info
            for path, info in beside.items()
            if belongs(path.rpartition("/")[2], leaf) and self._allowed.permits(folder.below(path.rpartition("/")[2]))
        }
        items = dict(_items(files, folder.leaf, len(self._path(folder)) + 1))
        return listing(f"{folder.leaf}/{leaf}", {**self._above(folder), **items})

    def _above(self, directory: Address) -> dict[str, Item]:
        """Triton's config, in the directory above one that is called like a version."""
        if not directory.leaf.isdecimal() or not directory.names or not self._allowed.permits(directory.parent):
            return {}
        path = self._path(directory.parent.below(ABOVE))
        try:
            return {ABOVE: item(ABOVE, path, self._fs.info(path))}
        except FileNotFoundError:
            return {}

    def _path(self, place: Address) -> str:
        path: str = self._fs._strip_protocol(str(place))
        return path


def belongs(name: str, leaf: str) -> bool:
    """Whether a file beside another is called after it, or tells of it."""
    stem = leaf.rpartition(".")[0] or leaf
    return name in BESIDE or name == leaf or name.startswith((f"{stem}.", f"{leaf}.", f"{leaf}_"))


def _items(files: Mapping[str, Any], leaf: str, cut: int) -> Iterator[tuple[str, Item]]:
    for path, info in files.items():
        if info.get("type") == "file" and not path.endswith("/"):
            name = f"{leaf}/{path[cut:]}"
            yield name, item(name, path, info)


def filesystem(scheme: str, **options: Any) -> Any:  # noqa: ANN401 - fsspec has no types
    """A file system of fsspec's, without a memory of its own. Raises `load_failed` when a library is missing."""
    try:
        import fsspec  # noqa: PLC0415 - an extra

        return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError as cause:
        extra = EXTRAS.get(scheme, "sources")
        sentence = f"{scheme}:// needs a library that this worker has not ({cause}): pip install 'scurry[{extra}]'."
        raise Failed("load_failed", sentence) from None
    except ValueError as cause:
        raise Failed("load_failed", f"Nothing here opens {scheme}://: {cause}.") from None
