"""The key folder: made once, for nobody else to read."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.keys import Keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "deep" / "keys")
    keys.token_key("identity")
    keys.secret("postgres")
    keys.signing_key("notifier")
    assert mode(keys.folder) == 0o700
    names = {one.name: mode(one) for one in keys.folder.iterdir()}
    assert names == {
        "identity.hmac": 0o600,
        "notifier.ed25519": 0o600,
        "postgres.secret": 0o600,
    }


def test_a_key_is_made_once(tmp_path: Path) -> None:
    made = Keys(tmp_path)
    found = Keys(tmp_path)
    assert made.token_key("identity") == found.token_key("identity")
    assert made.secret("postgres") == found.secret("postgres")
    assert made.signing_key("notifier")[0] == found.signing_key("notifier")[0]


def test_every_key_is_its_own(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    parts = ("identity", "catalog", "requests")
    values = [keys.token_key(part) for part in parts] + [keys.secret(part) for part in parts]
    assert len(set(values)) == 6
    assert {len(one) for one in values} == {32}
    assert len({keys.signing_key(part)[0] for part in parts}) == 3


def test_of_several_who_make_it_at_once_one_wins(tmp_path: Path) -> None:
    def ask(_: int) -> bytes:
        return Keys(tmp_path / "keys").token_key("identity")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(64)))) == 1
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["identity.hmac"]


def test_a_key_that_can_not_be_kept_is_no_key(tmp_path: Path) -> None:
    in_the_way = tmp_path / "keys"
    in_the_way.write_text("a file")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        Keys(in_the_way).token_key("identity")
