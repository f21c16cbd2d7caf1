"""What `scurry up` runs."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scurry.job.jars import Job
from scurry.serving.addresses import Addresses
from scurry.serving.folder import Folder
from scurry.serving.plans import Plans, gateway_count, worker_count
from scurry.serving.redis_server import Server
from scurry.settings import UpSettings

AT = Addresses(
    host="127.0.0.1", redis_url="redis://127.0.0.1:6/0", redis=6, functions=7, workers=(8, 9), http=10, ui=13,
    bridge=14,
)  # fmt: skip


JOB = Job(Path("/j/scurry-job.jar"), Path("/j/module.yaml"), Path("/j/flink"))


@pytest.fixture
def plans(tmp_path):
    """Plans over fixed ports."""
    folder = Folder(tmp_path)
    folder.claim()
    yield Plans(UpSettings(namespace="ns"), AT, folder, {"PATH": "/bin", "SCURRY_WORKERS": "2", "SCURRY_PORT": "1"})
    folder.release()


def test_python_processes_are_the_verbs_of_the_command(plans):
    """`ps` shows `scurry worker` and the like."""
    words = ["-m", "scurry", "functions", "--host", "127.0.0.1", "--port", "7"]
    waits = ["--max-queue-s", "10.0", "--max-hold-s", "60.0"]
    assert plans.functions(JOB).command[1:] == [*words, *waits, "--drain-s", "3.0"]
    assert plans.gateways()[0].command[2:4] == ["scurry", "gateway"]
    assert [plan.name for plan in plans.workers(4)] == ["worker-0", "worker-1"]


def test_who_computes_shares_a_session_with_whom_it_lets_go_first(plans):
    """The job and the workers, as Redis; the others have their share of the cores outside."""
    apart = [plans.functions(JOB), *plans.gateways(), plans.bridge()]
    together = [plans.job("java", JOB), *plans.workers(4)]
    assert [plan.session for plan in (*apart, *together)] == [True] * 3 + [False] * len(together)


def test_one_gateway_has_its_port_to_itself(plans):
    """And the name it always had."""
    (plan,) = plans.gateways()
    assert plan.name == "gateway"
    assert "--reuse-port" not in plan.command


def test_several_gateways_share_a_port(plans, tmp_path):
    """Each with a log and a session of its own."""
    folder = Folder(tmp_path)
    made = Plans(UpSettings(), replace(AT, gateways=2, metrics=8, more_metrics=(9,)), folder,
                 {"SCURRY_MAX_BYTES_IN_FLIGHT": "7"}).gateways()  # fmt: skip
    assert [plan.name for plan in made] == ["gateway-0", "gateway-1"]
    assert len({plan.log for plan in made}) == 2
    for plan, page in zip(made, (8, 9), strict=True):
        words = " ".join(plan.command)
        ports = f"--http-port 10 --grpc-port 0 --reuse-port --metrics-port {page}"
        assert f"gateway --host 127.0.0.1 {ports} --drain-s 10.0" in words
        assert plan.session
        assert plan.environ["SCURRY_MAX_BYTES_IN_FLIGHT"] == "7"


def test_whether_a_port_is_shared_is_not_left_to_the_environment(tmp_path):
    """It follows from the number of gateways."""
    made = Plans(UpSettings(), AT, Folder(tmp_path), {"SCURRY_REUSE_PORT": "1"})
    assert "SCURRY_REUSE_PORT" not in made.gateways()[0].environ


def test_cores_and_memory_are_shared_out_between_workers(plans):
    """Two workers on four cores have two threads and half the memory each."""
    command = plans.workers(4)[1].command
    assert command[command.index("--threads") + 1] == "2"
    assert command[command.index("--memory-mb") + 1] == "1024"


def test_the_environment_of_scurry_up_does_not_leak(plans):
    """Its SCURRY_ variables are about `up`; each process gets its own."""
    environ = plans.functions(JOB).environ
    assert environ["PATH"] == "/bin"
    assert environ["SCURRY_REDIS_URL"] == "redis://127.0.0.1:6/0"
    assert environ["SCURRY_NAMESPACE"] == "ns"
    assert "SCURRY_PORT" not in environ
    assert "SCURRY_WORKERS" not in environ


def test_a_setting_of_a_process_reaches_it(tmp_path):
    """What `up` does not decide itself is handed on; to nobody else."""
    folder = Folder(tmp_path)
    folder.claim()
    environ = {"SCURRY_MAX_IN_FLIGHT": "7", "SCURRY_TIMEOUT_S": "3", "SCURRY_DRAIN_S": "99"}
    made = Plans(UpSettings(), AT, folder, environ)
    assert made.gateways()[0].environ["SCURRY_MAX_IN_FLIGHT"] == "7"
    assert made.gateways()[0].environ["SCURRY_TIMEOUT_S"] == "3"
    assert not set(environ) & set(made.functions(JOB).environ)
    assert not set(environ) & set(made.workers(2)[0].environ)
    folder.release()


def test_what_up_is_told_reaches_those_it_concerns(tmp_path):
    """The jail of the workers, the key of the gateway, the module of the functions; the key is on no command line."""
    folder = Folder(tmp_path)
    folder.claim()
    made = Plans(UpSettings(models_root="m/..", admin_key="secret", separate_registry=True), AT, folder, {})
    assert made.workers(2)[1].environ["SCURRY_MODELS_ROOT"] == str(Path.cwd())
    assert made.gateways()[0].environ["SCURRY_ADMIN_KEY"] == "secret"
    assert made.functions(JOB).environ["SCURRY_MODULE"] == "/j/module.yaml"
    named = UpSettings(server_name="triton", server_version="2", max_body_bytes=7, client_shared_memory=True)
    environ = Plans(named, AT, folder, {}).gateways()[0].environ
    assert (environ["SCURRY_SERVER_NAME"], environ["SCURRY_SERVER_VERSION"]) == ("triton", "2")
    assert (environ["SCURRY_MAX_BODY_BYTES"], environ["SCURRY_CLIENT_SHARED_MEMORY"]) == ("7", "1")
    every = [made.functions(JOB), *made.workers(2), *made.gateways(), made.job("java", JOB)]
    assert {plan.environ["SCURRY_SEPARATE_REGISTRY"] for plan in every} == {"1"}
    assert not any("secret" in word for plan in every for word in plan.command)
    folder.release()


def test_workers_share_a_cache_and_are_told_their_sources(tmp_path):
    """In the data directory unless told; what is not given is not handed on, so nothing can be fetched."""
    folder = Folder(tmp_path)
    first, second = Plans(UpSettings(), AT, folder, {}).workers(2)
    assert first.environ["SCURRY_CACHE"] == second.environ["SCURRY_CACHE"] == str(tmp_path / "cache")
    assert "SCURRY_SOURCES" not in first.environ
    told = UpSettings(sources="s3://b/m", cache=str(tmp_path / "c"), cache_mb=7)
    environ = Plans(told, AT, folder, {}).workers(2)[0].environ
    kept = [environ[f"SCURRY_{name}"] for name in ("SOURCES", "CACHE", "CACHE_MB")]
    assert kept == ["s3://b/m", str(tmp_path / "c"), "7"]


def test_the_job_learns_addresses_from_its_environment(plans, tmp_path):
    """As module.yaml reads them; its files lie under the data directory."""
    job = Job(tmp_path / "scurry-job.jar", tmp_path / "module.yaml", tmp_path / "flink")
    plan = plans.job("/usr/bin/java", job)
    assert plan.environ["SCURRY_FUNCTIONS"] == "http://127.0.0.1:7"
    assert plan.environ["SCURRY_WORKERS"] == "http://127.0.0.1:8,http://127.0.0.1:9"
    command = list(plan.command)
    assert command[command.index("--data") + 1] == str(tmp_path / "flink")
    assert command[command.index("--ui-port") + 1] == "13"
    assert command[command.index("-cp") + 1] == f"{tmp_path}/scurry-job.jar:{tmp_path}/flink/*"


def test_one_bridge_carries_streams_over_and_the_job_knows_how_long_answers_stay(tmp_path):
    """The bridge reaches our Redis as other Python processes do."""
    made = Plans(UpSettings(namespace="ns", cluster_serving_ttl="7d"), AT, Folder(tmp_path), {})
    plan = made.bridge()
    assert (plan.name, plan.command[1:]) == ("bridge", ["-m", "scurry", "bridge", "--port", "14"])
    assert (plan.environ["SCURRY_REDIS_URL"], plan.environ["SCURRY_NAMESPACE"]) == (AT.inner_redis_url, "ns")
    assert made.job("java", JOB).environ["SCURRY_CLUSTER_SERVING_TTL"] == "7d"


def test_our_redis_is_durable_and_on_loopback(plans):
    """Every write on disk within a second, nothing evicted."""
    command = " ".join(plans.redis(Server("/bin/redis-server", (7, 0))).command)
    assert "--bind 127.0.0.1 --port 6" in command
    assert "--appendonly yes --appendfsync everysec" in command
    assert "--maxmemory-policy noeviction" in command


def test_python_processes_reach_our_redis_over_its_socket(tmp_path):
    """The job, which cannot, over its port."""
    folder = Folder(tmp_path)
    folder.claim()
    made = Plans(UpSettings(), replace(AT, redis_socket="/d/redis.sock"), folder, {})
    command = " ".join(made.redis(Server("/bin/redis-server", (7, 0))).command)
    assert "--port 6" in command
    assert "--unixsocket /d/redis.sock --unixsocketperm 600" in command
    for plan in (made.functions(JOB), *made.workers(2), *made.gateways()):
        assert plan.environ["SCURRY_REDIS_URL"] == "unix:///d/redis.sock"
    assert made.job("java", JOB).environ["SCURRY_REDIS_URL"] == "redis://127.0.0.1:6/0"
    folder.release()


@pytest.mark.parametrize(("asked", "cores", "count"), [(0, 1, 1), (0, 2, 1), (0, 8, 4), (3, 2, 3)])
def test_workers_are_half_the_cores_unless_told(asked, cores, count):
    """At least one."""
    assert worker_count(asked, cores) == count


@pytest.mark.parametrize(
    ("asked", "cores", "system", "count"),
    [(0, 1, "linux", 1), (0, 7, "linux", 1), (0, 8, "linux", 2), (0, 64, "darwin", 1), (3, 2, "darwin", 3)],
)
def test_gateways_are_a_quarter_of_the_cores_unless_told(asked, cores, system, count, monkeypatch):
    """At least one, and one where the kernel gives all connections to one of those who listen."""
    monkeypatch.setattr(sys, "platform", system)
    assert gateway_count(asked, cores) == count


def test_workers_hear_what_they_may_open(tmp_path):
    """From a setting of ours, or from the environment that it came from; nobody else does."""
    made = Plans(UpSettings(allow="python,sklearn-pickle", max_load_s=7.0), AT, Folder(tmp_path), {})
    plan = made.workers(2)[0]
    assert plan.environ["SCURRY_ALLOW"] == "python,sklearn-pickle"
    assert "--max-load-s 7.0" in " ".join(plan.command)
    assert "SCURRY_ALLOW" not in made.gateways()[0].environ


def test_what_is_seen_is_set_for_all(tmp_path):
    """Logs, metrics and traces, in every process."""
    settings = UpSettings(log_format="json", traces=0.5, metrics_models=7, access_log=True)
    made = Plans(settings, AT, Folder(tmp_path), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"})
    for plan in (*made.workers(2), *made.gateways()):
        said = [plan.environ[f"SCURRY_{name}"] for name in ("LOG_FORMAT", "TRACES", "METRICS_MODELS")]
        assert said == ["json", "0.5", "7"]
        assert plan.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://o"
    assert made.gateways()[0].environ["SCURRY_ACCESS_LOG"] == "1"


def test_what_guards_the_doors_reaches_the_gateways_alone(tmp_path):
    """With paths that hold wherever a process runs; what is not given is not handed on."""
    told = UpSettings(api_keys="keys", tls_cert="/c.pem", tls_key="k.pem", tls_client_ca="ca", cors_origins="*")
    made = Plans(told, AT, Folder(tmp_path), {})
    environ = made.gateways()[0].environ
    names = ("API_KEYS", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA", "CORS_ORIGINS")
    kept = [environ[f"SCURRY_{name}"] for name in names]
    assert kept == [str(Path.cwd() / "keys"), "/c.pem", str(Path.cwd() / "k.pem"), str(Path.cwd() / "ca"), "*"]
    plain = Plans(UpSettings(), AT, Folder(tmp_path), {}).gateways()[0].environ
    others = [made.functions(JOB), *made.workers(2)]
    assert not any(f"SCURRY_{name}" in each for name in names for each in (plain, *(one.environ for one in others)))
