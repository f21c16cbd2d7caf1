"""The command `scurry`: finds the verb and runs it."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from scurry.cli.output import complain, say
from scurry.rules import InvalidSettings
from scurry.settings import refuse_unknown
from scurry.wire.errors import ScurryError

VERBS: Final = {
    "up": "everything on one machine",
    "models": "register, list, show and change models",
    "predict": "ask a model once",
    "functions": "the process of router and registry",
    "worker": "a process that runs models",
    "gateway": "the process that answers HTTP",
    "bridge": "the process that reads the streams of Cluster Serving clients",
    "keys": "API keys of the gateway",
    "bench": "load generator",
    "job": "the Flink job: its state, savepoints, rescaling, upgrades",
    "dead": "requests that could not be served",
    "status": "what a running `scurry up` consists of, and whether it is ready",
    "top": "models, workers and processes at work, live",
    "logs": "what its processes logged",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 is done, 1 is failed, 2 is not understood."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = argparse.Namespace()
    try:
        refuse_bytes(words)
        args = parser(words).parse_args(words)
        refuse_unknown(os.environ)
        show_as(f"scurry {args.verb}")
        status = import_module(f"scurry.cli.{args.verb}").run(args)
        return int(status or 0)
    except ScurryError as exc:
        return complain(args, exc.code, exc.message)
    except InvalidSettings as exc:
        complain(args, "bad_setting", str(exc))
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as exc:
        return complain(args, "unavailable", f"{exc.filename}: {exc.strerror}." if exc.filename else f"{exc}.")
    except KeyboardInterrupt:
        return 130


def refuse_bytes(words: Sequence[str]) -> None:
    """Raise `InvalidSettings` for words that are no text: names and addresses are."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise InvalidSettings(f"{word!a} is not UTF-8.") from None


def show_as(title: str) -> None:
    """Name this process for `ps` and `top`, where Linux lets us: 15 characters."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(title[:15])


class Version(argparse.Action):
    """Prints the version; what it costs to find is paid only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and leave."""
        from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely wanted

        say(f"scurry {version('scurry')}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """Says what a verb does not take beside how that verb is used, not beside how all are."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:  # noqa: ANN401
        """As argparse does; words that are left over are refused at once."""
        found, more = super().parse_known_args(args, namespace)
        if more:
            self.error(f"unrecognized arguments: {' '.join(more)}")
        return found, more


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the verb that is asked for is imported."""
    top = Parser(
        prog="scurry",
        description="Scurry: many models, one stream.",
        epilog="example: scurry up --models ./models",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=Version, nargs=0, help="print the version")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    asked = next((word for word in words if not word.startswith("-")), "")
    for verb, summary in VERBS.items():
        if verb == asked:
            module = import_module(f"scurry.cli.{verb}")
            one = verbs.add_parser(verb, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
            one.description, one.epilog = module.__doc__, getattr(module, "EXAMPLE", None)
            module.add(one)
        else:
            verbs.add_parser(verb, help=summary)
    return top
