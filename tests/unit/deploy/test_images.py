"""What starts the distributed way under an engine: read by the judges that need none."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, validators

from chassis.settings import Settings
from deploy.apart import address_setting
from guichet.parts import GATEWAY, PARTS
from guichet.serve import port_of

PROJECT = Path(__file__).parents[3]
DOCKERFILE = PROJECT / "deploy" / "Dockerfile"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text("utf-8"))
    return found


def test_the_composition_keeps_to_the_specifications_schema(compose: dict[str, Any]) -> None:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text("utf-8"))
    validator = validators.validator_for(schema, Draft202012Validator)(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []
    wrong = {**compose, "services": {**compose["services"], "broken": {"imag": "x"}}}
    assert not validator.is_valid(wrong)


def test_the_images_recipe_has_nothing_that_its_linter_minds(tmp_path: Path) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    def minded(path: Path) -> list[str]:
        done = subprocess.run(
            [hadolint, "--no-color", path],
            cwd=tmp_path,  # where no configuration says what to pass over
            capture_output=True,
            text=True,
            timeout=60,
        )
        return (done.stdout + done.stderr).splitlines()

    assert minded(DOCKERFILE) == []
    worse = tmp_path / "Dockerfile"
    worse.write_text(DOCKERFILE.read_text("utf-8") + "RUN sudo cd /tmp\n", "utf-8")
    assert minded(worse) != []


def test_every_part_is_started_and_asked_for_its_health(compose: dict[str, Any]) -> None:
    settings = Settings()
    for part in PARTS:
        service = compose["services"][part]
        assert service["command"] == ["serve", part]
        assert service["environment"]["GUICHET_LISTEN_PORT"] == str(port_of(part, settings))
        assert "/readyz" in service["healthcheck"]["test"][-1]
    healthless = {
        name
        for name, service in compose["services"].items()
        if service.get("healthcheck", {}).get("disable") or "healthcheck" not in service
    }
    assert healthless == {"migrate", "demo"}, "these two end"


def test_the_gateway_is_told_where_the_parts_are(compose: dict[str, Any]) -> None:
    told = compose["services"][GATEWAY]["environment"]
    for part in ("identity", "catalog", "requests", "notifier", "notifier-delivery"):
        port = compose["services"][part]["environment"]["GUICHET_LISTEN_PORT"]
        assert told[address_setting(part)] == f"http://{part}:{port}"


def test_what_is_set_is_a_setting(compose: dict[str, Any]) -> None:
    known = {f"GUICHET_{name.upper()}" for name in Settings.model_fields}
    words = DOCKERFILE.read_text("utf-8").replace("=", " ").split()
    named = {word for word in words if word.startswith("GUICHET_")}
    for name in (*PARTS, "migrate", "demo"):
        named |= compose["services"][name]["environment"].keys()
    assert named - known == set()


def test_parts_run_as_nobody_in_particular_on_a_root_that_is_read_only(
    compose: dict[str, Any],
) -> None:
    for name in (*PARTS, "migrate", "demo"):
        service = compose["services"][name]
        assert (service["user"], service["read_only"]) == ("10001:10001", True)
        assert service["cap_drop"] == ["ALL"]
        assert [one.partition(":")[0] for one in service["tmpfs"]] == ["/tmp"]
    lines = DOCKERFILE.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert sum(line.startswith("FROM") for line in lines) == 3


def test_the_administrators_address_is_known_to_the_migration_alone(
    compose: dict[str, Any],
) -> None:
    knowing = [
        name
        for name, service in compose["services"].items()
        if "GUICHET_POSTGRES_ADMIN_URL" in service.get("environment", {})
    ]
    assert knowing == ["migrate"]


def test_only_this_machine_reaches_the_ports(compose: dict[str, Any]) -> None:
    ports = [port for one in compose["services"].values() for port in one.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
