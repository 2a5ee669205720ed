"""States of a request."""

import pytest

from services.requests.domain import states
from services.requests.web import web


def test_every_state_has_a_name_in_every_language() -> None:
    for state in states.LABELS:
        for language in web.catalogues.languages:
            assert web.catalogues.translate(states.label_of(state), language)


def test_a_state_that_nobody_defined_has_no_name() -> None:
    with pytest.raises(KeyError):
        states.label_of("forgotten")
