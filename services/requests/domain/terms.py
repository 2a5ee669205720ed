"""Acceptances of the terms: one for each person and version, however often it is given."""

from uuid import UUID, uuid5


def acceptance_id(person_id: UUID, terms_version: int) -> UUID:
    """The id of that person's acceptance of that version, the same wherever it comes from."""
    return uuid5(person_id, f"terms {terms_version}")
