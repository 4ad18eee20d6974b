"""The compose file and the image's recipe: read, not run; what can be known without an engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import airflow
import pytest
import yaml

from reactivation import cli
from reactivation.orchestration import connections, pools, telling

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = {name: service for name, service in SERVICES.items() if name.startswith("airflow-")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SECRETS = re.findall(r"^([A-Z_]*(?:PASSWORD|SECRET|KEY)[A-Z_]*)=", (ROOT / ".env.example").read_text(), re.M)

#: What the images of others read: postgres, redis-cli, and the start script of Airflow's image.
THEIRS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "REDISCLI_AUTH", "DUMB_INIT_SETSID"}
#: An option without a default, of the Celery provider, which only the image has.
CELERY = {"AIRFLOW__CELERY__RESULT_BACKEND"}
#: What our own scripts in the file read.
OURS = {"ADMIN_USER", "ADMIN_PASSWORD", "ADMIN_EMAIL", "LEDGER_DB_PASSWORD"}


def _airflow_options() -> set[str]:
    """Every option of Airflow and of the providers it knows defaults for, as an environment variable."""
    templates = Path(airflow.__file__).parent / "config_templates"
    declared = yaml.safe_load((templates / "config.yml").read_text(encoding="utf-8"))
    options = {(section, option) for section, told in declared.items() for option in told["options"]}
    providers = RawConfigParser()
    providers.read(templates / "provider_config_fallback_defaults.cfg", encoding="utf-8")
    options |= {(section, option) for section in providers.sections() for option in providers.options(section)}
    return {f"AIRFLOW__{section.upper()}__{option.upper()}" for section, option in options}


def _read_by_us() -> set[str]:
    source = "".join(Path(room.__file__).read_text(encoding="utf-8") for room in (connections, pools, telling))
    ids = re.findall(r'"(reactivation_[a-z_]+)"', source)
    return {*re.findall(r'"(REACTIVATION_[A-Z_]+)"', source), *(f"AIRFLOW_CONN_{name.upper()}" for name in ids)}


def test_the_components_of_airflow_are_there() -> None:
    """And a step that migrates both databases before any of them."""
    assert set(SERVICES) == {
        "postgres", "redis", "airflow-init", "airflow-apiserver", "airflow-scheduler", "airflow-dag-processor",
        "airflow-triggerer", "airflow-worker", "public",
    }  # fmt: skip
    (script,) = SERVICES["airflow-init"]["command"]
    assert re.findall(r"^(airflow db migrate|reactivation ledger upgrade)$", script, re.M) == [
        "airflow db migrate", "reactivation ledger upgrade"
    ]  # fmt: skip
    for name in set(AIRFLOW) - {"airflow-init"}:
        assert AIRFLOW[name]["depends_on"]["airflow-init"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_goes_on_running_says_whether_it_is_well(name: str) -> None:
    """Only the step that ends has no health check, and is not started again."""
    service = SERVICES[name]
    if name == "airflow-init":
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_variable_is_read_by_somebody(name: str) -> None:
    """A misspelt option would be silence."""
    assert set(SERVICES[name]["environment"]) <= _airflow_options() | _read_by_us() | THEIRS | CELERY | OURS


@pytest.mark.parametrize(
    "variable", ["AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY"]
)
def test_components_share_their_secrets(variable: str) -> None:
    """One reference everywhere, else tasks are refused and nobody is recognised."""
    assert len({service["environment"][variable] for service in AIRFLOW.values()}) == 1


def test_every_secret_comes_from_the_environment_and_none_has_a_default() -> None:
    """An empty one stops the start; the example file gives none away."""
    text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    for secret in SECRETS:
        uses = re.findall(rf"\$\{{{secret}\b([^}}]*)\}}", text)
        assert uses, f"{secret} is used nowhere"
        assert set(uses) == {":?see .env.example"}
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) == {
        *re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.M)
    }
    for service in SERVICES.values():
        for variable, value in service["environment"].items():
            if re.search(r"PASSWORD|SECRET|KEY|AUTH$|CONN|BROKER|BACKEND", variable):
                assert "${" in value, f"{variable} has a literal"
                assert not re.search(r"://[^$/]*:[^$@/]+@", value), f"{variable} has a literal password"


def test_nothing_is_reachable_from_outside_this_machine() -> None:
    """Two services have a port, on the loopback address; a proxy with TLS belongs before them."""
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "airflow-apiserver": ["127.0.0.1:${PORT:-8080}:8080"], "public": ["127.0.0.1:${PUBLIC_PORT:-8090}:8090"],
    }  # fmt: skip


def test_what_the_outside_reaches_knows_little_and_may_do_little() -> None:
    """The ledger, its key and the keys of webhooks: nothing of Airflow, of providers' accounts, of evidence or sources.
    Its file system is read-only but for what it keeps, and it has no rights on the machine."""
    public = SERVICES["public"]
    assert {name for name in public["environment"] if not name.startswith("AIRFLOW_CONN_REACTIVATION_WEBHOOK_")} == {
        "REACTIVATION_HOME", "REACTIVATION_ENVIRONMENT", "REACTIVATION_TENANT", "AIRFLOW_CONN_REACTIVATION_LEDGER",
        "AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY",
    }  # fmt: skip
    assert [mount.split(":")[-2] for mount in public["volumes"][1:]] == ["/opt/tenant/tenant.yaml"]
    assert public["volumes"][0] == "public-home:/opt/reactivation"
    assert (public["read_only"], public["cap_drop"]) == (True, ["ALL"])
    assert public["security_opt"] == ["no-new-privileges:true"]
    cli.parser().parse_args(public["entrypoint"][1:])


def test_evidence_is_one_volume_for_every_component() -> None:
    """A draft made by one worker is sent by another, and the pages show it."""
    for service in AIRFLOW.values():
        assert "reactivation-home:/opt/reactivation" in service["volumes"]
        assert service["environment"]["REACTIVATION_HOME"] == "/opt/reactivation"
    assert set(COMPOSE["volumes"]) == {"reactivation-home", "public-home", "airflow-logs", "postgres-data"}


def test_workers_can_be_several() -> None:
    """No name or port of their own stands in the way of ``--scale``."""
    assert not {"container_name", "ports", "hostname"} & set(SERVICES["airflow-worker"])


def test_airflow_and_the_ledger_have_databases_of_their_own() -> None:
    """With roles of their own; the ledger is never Airflow's."""
    environment = SERVICES["airflow-scheduler"]["environment"]
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres/airflow")
    assert environment["AIRFLOW_CONN_REACTIVATION_LEDGER"].endswith("@postgres/reactivation")
    script = (ROOT / "docker" / "create-ledger.sh").read_text(encoding="utf-8")
    assert "CREATE DATABASE reactivation OWNER reactivation;" in script
    subprocess.run(["sh", "-n", ROOT / "docker" / "create-ledger.sh"], check=True)


def test_mounted_files_are_there() -> None:
    """What the file mounts from the project exists in it."""
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            path = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", mount).split(":")[0]
            assert not path.startswith("./") or path == "./source" or (ROOT / path).exists(), mount


def test_what_the_image_copies_is_there_and_let_through() -> None:
    """The build context is what the recipe names, and nothing else."""
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(?:--chown=\S+ )?(.*) \S+$", DOCKERFILE, re.M)
        for word in line.split()
    }  # fmt: skip
    assert copied
    let_through = set(re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.M))
    for name in copied:
        assert (ROOT / name).exists(), name
    assert {name.partition("/")[0] for name in copied} == let_through


def test_the_image_has_the_pinned_airflow_and_what_the_file_needs() -> None:
    """Hash-pinned, the very versions of the tests; Celery, Redis, FAB and Airflow's asynchronous driver besides."""
    pins = {
        name: dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M))
        for name in ("runtime", "image")
    }
    assert pins["runtime"].items() <= pins["image"].items()
    assert {"apache-airflow-providers-fab", "celery", "redis", "asyncpg", "psycopg"} <= set(pins["image"])
    assert f"slim-{pins['image']['apache-airflow']}-" in DOCKERFILE
    assert DOCKERFILE.count("--require-hashes") == 2


def test_the_compose_client_reads_it() -> None:
    """With every variable given, it finds nothing wrong."""
    client = _compose_client()
    given = dict.fromkeys(re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.M), "x")
    subprocess.run([*client, "config", "--quiet"], cwd=ROOT, env={**os.environ, **given}, check=True, timeout=60)


def _compose_client() -> list[str]:
    """The command of whichever client there is; no engine is needed to read a file."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if subprocess.run(["sh", "-c", "docker compose version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    missing = "there is no compose client; install docker-compose"
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)
