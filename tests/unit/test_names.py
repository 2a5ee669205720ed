"""Names beside those of the whole installation."""

from chassis.database.roles import database_name
from tests.support.names import names_apart


def test_a_name_is_the_same_within_another_s() -> None:
    whole = database_name("identity")
    with names_apart("id"):
        ours = database_name("identity")
    with names_apart("parts"):
        assert database_name("identity") not in {whole, ours}
        with names_apart("id"):
            assert database_name("identity") == ours
    assert database_name("identity") == whole != ours
