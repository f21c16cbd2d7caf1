"""Everything can be seen: metrics on every page, one trace over the whole path, logs by request, the dashboard."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import ROOT, Stack
from tests.doubling import save_double
from tests.otlp import Receiver

BODY = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [2.0]}]}
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PAGES = ("up", "gateway", "functions", "worker", "bridge")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where spans go."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Stack]:
    """A `scurry up` that tells all it can, with a model that was asked."""
    folder = tmp_path_factory.mktemp("sight")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    flags = ("--workers", "1", "--checkpoint-interval", "1s", "--log-format", "json", "--access-log")
    stack = Stack(folder / "up", *flags, env=env)
    try:
        save_double(folder / "d.onnx")
        stack.register("seen", folder / "d.onnx")
        for _ in range(3):
            ask(stack)
        yield stack
    finally:
        stack.stop()


def ask(stack: Stack, model: str = "seen", headers: dict[str, str] | None = None, *, name: str = "x") -> int:
    """The status of a request over HTTP; the model's input is `x`."""
    url = f"{stack.http_url}/v2/models/{model}/infer"
    body = {"inputs": [BODY["inputs"][0] | {"name": name}]}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as cause:
        return int(cause.code)


def wait(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.2)


def targets(stack: Stack) -> dict[str, list[str]]:
    """What Prometheus is told to scrape."""
    with urllib.request.urlopen(f"{stack.info['up_url']}/targets", timeout=10) as answer:
        return {each["labels"]["component"]: each["targets"] for each in json.load(answer)}


def scraped(stack: Stack, component: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """All samples of a component's pages, as Prometheus' own parser reads them."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for target in targets(stack)[component]:
        with urllib.request.urlopen(f"http://{target}/metrics", timeout=10) as answer:
            for family in text_string_to_metric_families(answer.read().decode()):
                for sample in family.samples:
                    found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def total(samples: dict[tuple[tuple[str, str], ...], float], **labels: str) -> float:
    """The sum of the samples with these labels."""
    return sum(value for key, value in samples.items() if labels.items() <= dict(key).items())


def test_every_page_counts_what_was_asked(seen: Stack) -> None:
    """The gateway by status and code, the functions by message, the worker by stage."""
    before = {component: scraped(seen, component) for component in PAGES}
    assert [ask(seen) for _ in range(5)] == [200] * 5
    assert ask(seen, "nobody") == 404
    after = {component: scraped(seen, component) for component in PAGES}

    def grown(component: str, name: str, **labels: str) -> float:
        return total(after[component][name], **labels) - total(before[component].get(name, {}), **labels)

    assert grown("gateway", "scurry_gateway_request_seconds_count", door="oip", status="200", code="ok") == 5
    assert grown("gateway", "scurry_gateway_request_seconds_count", status="404", code="model_not_found") == 1
    assert grown("functions", "scurry_function_batch_messages_sum", function="scurry/router") >= 6
    assert grown("worker", "scurry_worker_requests_total", model="seen", version="1", code="ok") == 5
    assert grown("worker", "scurry_worker_batch_size_sum", model="seen") == 5
    for stage in ("input", "compute", "output"):
        assert grown("worker", "scurry_worker_stage_seconds_total", model="seen", stage=stage) > 0
    assert total(after["up"]["scurry_process_running"]) == 6
    assert total(after["up"]["scurry_process_resident_memory_bytes"], process="job") > 1 << 20
    wait(lambda: total(scraped(seen, "gateway").get("scurry_answers_total", {}), model="seen", code="ok") >= 8)


def test_a_trace_spans_the_whole_path(seen: Stack, receiver: Receiver) -> None:
    """A caller's context is followed; the worker's and the router's spans are children of the gateway's."""
    assert ask(seen, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"}) == 200
    spans = receiver.wait(TRACE, {"infer seen", "route", "queue", "batch", "reply"})
    by_name: dict[str, Any] = {span["name"]: span for span in spans}
    assert {name: span["service"] for name, span in by_name.items()} == {
        "infer seen": "scurry-gateway", "reply": "scurry-gateway", "route": "scurry-functions",
        "queue": "scurry-worker", "batch": "scurry-worker",
    }  # fmt: skip
    root = by_name.pop("infer seen")
    assert root["parent"] == CALLER
    assert {span["parent"] for span in by_name.values()} == {root["id"]}
    assert by_name["batch"]["links"] == [root["id"]]
    assert root["start"] <= by_name["route"]["start"] <= by_name["batch"]["start"] < by_name["batch"]["end"]
    assert by_name["queue"]["end"] == by_name["batch"]["start"]
    assert root["end"] >= by_name["batch"]["end"]


def test_who_is_not_sampled_leaves_no_span(seen: Stack, receiver: Receiver) -> None:
    """As the caller said, or because no share is traced."""
    other = TRACE.replace("0af", "1af")
    assert ask(seen, headers={"traceparent": f"00-{other}-{CALLER}-00"}) == 200
    told = len(receiver.spans)
    assert ask(seen) == 200
    traced = TRACE.replace("0af", "2af")
    assert ask(seen, headers={"traceparent": f"00-{traced}-{CALLER}-01"}) == 200
    receiver.wait(traced, {"infer seen", "batch", "route", "reply"})
    assert {span["trace"] for span in receiver.spans[told:]} == {traced}
    assert not [span for span in receiver.spans if span["trace"] == other]


def test_a_request_is_found_in_the_logs(seen: Stack) -> None:
    """By its id, in JSON; the access log has its model, status and trace."""
    assert ask(seen, "nobody", {"traceparent": f"00-{TRACE}-{CALLER}-00"}) == 404
    lines = seen.run("logs", "gateway", "--dir", str(seen.dir), "--model", "nobody", "-n", "5").stdout.splitlines()
    told = json.loads(lines[-1])
    assert (told["status"], told["code"], told["method"]) == (404, "model_not_found", "POST")
    assert TRACE in told["traceparent"]
    again = seen.run("logs", "--dir", str(seen.dir), "--request", told["request"], "-n", "50").stdout
    assert [json.loads(line.partition("| ")[2])["request"] for line in again.splitlines()] == [told["request"]]


def test_top_and_status_show_models_and_load(seen: Stack) -> None:
    """Also with nothing but Redis."""
    top = json.loads(seen.run("top", "--once", "--json", "--dir", str(seen.dir)).stdout)
    row = next(each for each in top["models"] if each["model"] == "seen")
    assert (row["version"], row["state"]) == ("1", "ready")
    processes = {"redis", "functions", "worker-0", "job", "gateway", "bridge"}
    assert {each["process"] for each in top["processes"]} == processes
    assert all(each["memory"] > 1 << 20 for each in top["processes"])
    assert top["workers"][0]["models"] >= 1
    bare = json.loads(seen.run("top", "--once", "--json", "--redis-url", seen.redis_url).stdout)
    assert [each["model"] for each in bare["models"]] == ["seen"]
    assert "seen" in seen.run("status", "--dir", str(seen.dir)).stdout


def named_in(dashboard: dict[str, Any]) -> set[str]:
    """The metrics that a dashboard's queries name."""
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return {name for query in queries for name in re.findall(r"\b(?:scurry|process|flink)_\w+", query)}


def test_the_dashboard_names_what_there_is(seen: Stack) -> None:
    """Every metric of its panels is on some page; every family of ours but for details is in some panel."""
    assert ask(seen, "seen/versions/9") == 404
    assert ask(seen, name="nobody") == 400

    def told() -> bool:
        return {"scurry_unrouted_total", "scurry_failed_seconds_total"} <= set(scraped(seen, "gateway"))

    wait(told)
    named = named_in(json.loads((ROOT / "deploy" / "grafana" / "scurry.json").read_text()))
    pages = [scraped(seen, component) for component in PAGES]
    there = {name for page in pages for name in page}
    there |= {"scurry_stream_lag"}  # of Redis 7 and later
    assert {name for name in named if not name.startswith("flink_")} - there == set()
    shown = {name for name in there if any(name.startswith(prefix) for prefix in SHOWN)}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} <= {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in named
    }


SHOWN = ("scurry_gateway_", "scurry_worker_", "scurry_latency", "scurry_answers", "scurry_shelf_bytes", "scurry_stream")


def test_a_replay_breaks_no_parents(seen: Stack, receiver: Receiver) -> None:
    """The job is killed while requests are under way: what it does again has the parents it had."""
    contexts = [f"00-{number:032x}-{number + 1:016x}-01" for number in range(1, 41)]
    pid = seen.info["processes"]["job"]["pid"]
    for at, context in enumerate(contexts):
        if at == 20:
            os.kill(pid, signal.SIGKILL)
        assert ask(seen, headers={"traceparent": context}) == 200
    traces = {context[3:35] for context in contexts}
    for trace in traces:
        receiver.wait(trace, {"infer seen", "batch"})
    spans = [span for span in receiver.spans if span["trace"] in traces]
    known = {span["id"] for span in spans} | {context[36:52] for context in contexts}
    assert [span for span in spans if span["parent"] not in known] == []


def test_the_job_reports_to_prometheus(tmp_path: Path) -> None:
    """With Flink's own reporter, which lies with the job's Flink."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--job-metrics-port", "0")
    try:
        def told() -> bool:
            found = scraped(stack, "job")
            wanted = named_in(json.loads((ROOT / "deploy" / "grafana" / "scurry.json").read_text()))
            return {name for name in wanted if name.startswith("flink_")} <= set(found)

        wait(told)
    finally:
        stack.stop()


COMMANDS = re.findall(r"^scurry (.+)$", (ROOT / "docs" / "observability.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(seen: Stack, command: str) -> None:
    """As it stands there."""
    words = shlex.split(command)
    done = seen.run(*words, "--dir", str(seen.dir))
    assert done.stdout or "logs" in words


def test_prometheus_finds_the_pages_as_the_page_says(seen: Stack) -> None:
    """The configuration is YAML, and its address that of the supervisor but for the port."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "observability.md").read_text(), re.DOTALL)
    (scrape,) = yaml.safe_load(text)["scrape_configs"]
    (discovery,) = scrape["http_sd_configs"]
    assert discovery["url"].rpartition(":")[2] == "9100/targets"
    assert set(targets(seen)) == set(PAGES)
