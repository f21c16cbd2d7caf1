"""The Flink job: look at it, take a savepoint, stop, rescale, upgrade."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from scurry.cli.connecting import add_json, folder_of, running_up
from scurry.cli.flags import number
from scurry.cli.output import emit, progress, table
from scurry.rules import above_0, between
from scurry.serving.flink_operator import Operator
from scurry.serving.flink_rest import FlinkRest, JobStatus
from scurry.serving.job_sides import Commands, Kubernetes
from scurry.serving.job_upgrade import Side, Upgrade, Wanted
from scurry.wire.errors import InvalidRequest

EXAMPLE = """examples:
  scurry job status --flink-url http://jobmanager:8081
  scurry job savepoint
  scurry job rescale 4 --kubernetes scurry
  scurry job upgrade --kubernetes scurry --change-with 'helm upgrade scurry ...'
  scurry job upgrade --flink-url http://10.0.0.5:8081 --start-with './start-jobmanager {savepoint} {parallelism}'
  scurry job upgrade --operator scurry --change-with 'helm upgrade scurry ...'"""

EMBEDDED: Final = (
    "`scurry up` starts its job from the newest checkpoint with what its flags say now: stop it and start it again "
    "with the flags you want; nothing is lost."
)
NOWHERE: Final = "Name where the job is started: --kubernetes NAMESPACE, --operator NAME or --start-with COMMAND."
COMMANDS: Final = {
    "--start-with": "starts the JobManager anew; {savepoint} and {parallelism} in it are filled in",
    "--roll-back-with": "starts it as it was, when it does not run; else --start-with is tried again",
    "--change-with": "run on Kubernetes while no job runs, such as 'helm upgrade …'",
}
CHANGING: Final = ("rescale", "upgrade")
COLUMNS: Final = ("JOB", "STATE", "TASKS", "PARALLELISM", "RESTARTS", "CHECKPOINT", "BYTES")

Told = tuple[object, str]
Verb = Callable[[argparse.Namespace, "Where"], Awaitable[Told]]


class Where:
    """Where the job runs, by the flags, and what is being done there just now."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.doing = "asking Flink"

    def tell(self, text: str) -> None:
        """This is being done."""
        self.doing = text

    @property
    def operator(self) -> Operator | None:
        """The operator's part, if the job is its."""
        args = self.args
        return Operator(args.operator, args.namespace, args.timeout) if args.operator else None

    def kubernetes(self) -> Kubernetes:
        """The Deployment's part."""
        args = self.args
        return Kubernetes(args.kubernetes, args.cluster_id, getattr(args, "change_with", ""))

    @contextlib.asynccontextmanager
    async def flink(self) -> AsyncIterator[tuple[FlinkRest, Side | None]]:
        """Flink's REST, and the side that starts the job; None when nobody said."""
        args = self.args
        start, former = getattr(args, "start_with", ""), getattr(args, "roll_back_with", "")
        if args.kubernetes:
            side = self.kubernetes()
            self.tell("reaching the JobManager through kubectl")
            async with side.forwarded() as url, FlinkRest(url) as rest:
                if args.act in CHANGING:
                    await side.remember()
                yield rest, side
        else:
            async with FlinkRest(address(args)) as rest:
                yield rest, Commands(start, former) if start else None

    def __repr__(self) -> str:
        return f"<Where {self.doing}>"


def add(parser: argparse.ArgumentParser) -> None:
    """The verbs of `scurry job`."""
    verbs = parser.add_subparsers(dest="act", required=True, metavar="VERB")
    _verb(verbs, "status", "state, tasks, restarts and checkpoints", status)
    _saving(_verb(verbs, "savepoint", "keep all state in a file, beside the running job", savepoint))
    _saving(_verb(verbs, "stop", "end the job with a savepoint", stop))
    wider = _verb(verbs, "rescale", "stop with a savepoint and go on with another parallelism", rescale)
    wider.add_argument("parallelism", metavar="N", type=number("N", between(1, 4096), int), help="subtasks")
    newer = _verb(verbs, "upgrade", "stop with a savepoint and go on with another module, address or jar", upgrade)
    origin = "begin at this savepoint or checkpoint; the job that runs, if any, is ended without one"
    newer.add_argument("--from", dest="origin", default="", metavar="PATH", help=origin)
    for one in (wider, newer):
        _saving(one)
        for flag, text in COMMANDS.items():
            one.add_argument(flag, default="", metavar="COMMAND", help=text)


def _verb(verbs: Any, name: str, text: str, act: Verb) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's own
    one: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    one.set_defaults(verb_run=act)
    one.add_argument("--flink-url", default="", metavar="URL", help="Flink's REST; else that of `scurry up`")
    one.add_argument("--kubernetes", default="", metavar="NAMESPACE", help="the standalone job there, by kubectl")
    one.add_argument("--operator", default="", metavar="NAME", help="the FlinkDeployment of that name, by kubectl")
    one.add_argument("--namespace", default="scurry", metavar="NAMESPACE", help="of the FlinkDeployment (scurry)")
    one.add_argument("--cluster-id", default="scurry", metavar="ID", help="kubernetes.cluster-id: the release (scurry)")
    one.add_argument("--dir", metavar="DIR", help="data directory of a running `scurry up`; else SCURRY_DIR")
    one.add_argument("--timeout", default=180.0, metavar="SECONDS", type=number("--timeout", above_0(86400)),
                     help="for a savepoint, and for a start (180)")  # fmt: skip
    add_json(one)
    return one


def _saving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", default="", metavar="DIR", help="directory or URL for the savepoint; else Flink's own")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    return asyncio.run(act(args))


async def act(args: argparse.Namespace) -> int:
    """The verb, with what it does just now on stderr. Raises `ScurryError`."""
    where = Where(args)
    async with progress(args, lambda: where.doing):
        told, text = await args.verb_run(args, where)
    emit(args, told, text)
    return 0


def address(args: argparse.Namespace) -> str:
    """Flink's REST. Raises `InvalidRequest` when it is nowhere."""
    if args.flink_url:
        return str(args.flink_url)
    folder = folder_of(args, os.environ)
    found = str(running_up(folder).get("ui_url", ""))
    if found and args.act in ("stop", *CHANGING):
        raise InvalidRequest("not_allowed", EMBEDDED)
    if not found:
        raise InvalidRequest("bad_request", f"No `scurry up` with Flink's UI is running in {folder}: name --flink-url,"
                             " --kubernetes or --operator.")  # fmt: skip
    return found


async def status(_: argparse.Namespace, where: Where) -> Told:
    """A line."""
    if operator := where.operator:
        seen = await operator.status()
        return seen, table(("STATE", "LIFECYCLE", "PARALLELISM", "SAVEPOINT"),
                           [(seen["state"], seen["lifecycle"], seen["parallelism"], seen["savepoint"])])  # fmt: skip
    async with where.flink() as (flink, _side):
        now = await flink.status()
    return now.as_json(), shown(now)


async def savepoint(args: argparse.Namespace, where: Where) -> Told:
    """Its place; the job goes on."""
    where.tell("taking a savepoint")
    if operator := where.operator:
        place = await operator.savepoint(where.tell)
    else:
        async with where.flink() as (flink, _side):
            now = await flink.status()
            place = await flink.savepoint(now.id, args.to or folder_for(args), args.timeout)
    return {"savepoint": place}, f"The savepoint is {place}; the job goes on."


async def stop(args: argparse.Namespace, where: Where) -> Told:
    """The place of its savepoint; requests wait in Redis from now on."""
    where.tell("stopping the job with a savepoint")
    if operator := where.operator:
        place = await operator.stop(where.tell)
    else:
        async with where.flink() as (flink, _side):
            now = await flink.status()
            place = await flink.stop(now.id, args.to, args.timeout)
    text = f"The job has ended, its state is in {place}; requests wait in Redis until `scurry job upgrade --from` it."
    return {"savepoint": place}, text


async def rescale(args: argparse.Namespace, where: Where) -> Told:
    """The job as it is then."""
    if operator := where.operator:
        told = await operator.rescale(args.parallelism, where.tell)
        return told, f"The job runs with a parallelism of {args.parallelism}."
    if args.start_with and "{parallelism}" not in args.start_with:
        raise InvalidRequest("bad_request", "--start-with lacks {parallelism}, by which the JobManager is told.")
    return await _upgraded(args, where, args.parallelism)


async def upgrade(args: argparse.Namespace, where: Where) -> Told:
    """The job as it is then."""
    if operator := where.operator:
        told = await operator.upgrade(args.change_with, where.tell)
        return told, f"The job runs as it is set now, from {told['savepoint']}."
    return await _upgraded(args, where, 0)


async def _upgraded(args: argparse.Namespace, where: Where, parallelism: int) -> Told:
    async with where.flink() as (flink, side):
        if side is None:
            raise InvalidRequest("bad_request", NOWHERE)
        origin = getattr(args, "origin", "")
        one = Upgrade(flink, side, Wanted(parallelism, args.to, origin, args.timeout), where.tell)
        now = await one.run()
    return {"savepoint": one.savepoint, "job": now.as_json()}, f"The job goes on from {one.savepoint}.\n{shown(now)}"


def folder_for(args: argparse.Namespace) -> str:
    """Where an embedded job's savepoint goes: it has no directory for them of its own."""
    return "" if args.flink_url or args.kubernetes else (folder_of(args, os.environ).resolve() / "savepoints").as_uri()


def shown(now: JobStatus) -> str:
    """A job as a table."""
    age = f"{now.checkpoint_age_s:.0f} s ago" if now.checkpoint_age_s >= 0 else "none yet"
    tasks = f"{now.tasks_running} of {now.tasks}"
    row = (now.id, now.state, tasks, now.parallelism, now.restarts, age, max(0, now.checkpoint_bytes))
    return table(COLUMNS, [row])
