"""Ids that follow from the tenant and what a thing is called, so that an import can be repeated.

A retired procedure's id has come to its end everywhere and is never used again: a procedure that
comes back under its old slug is a new one, of the next generation.
"""

from uuid import UUID, uuid5


def catalogue_id(tenant: UUID) -> UUID:
    """The tenant's catalogue as a whole."""
    return uuid5(tenant, "catalogue")


def category_id(tenant: UUID, slug: str) -> UUID:
    """The category of this slug, whenever it is shown."""
    return uuid5(tenant, f"catalogue/category/{slug}")


def procedure_id(tenant: UUID, slug: str, generation: int) -> UUID:
    """The procedure of this slug, counted from 1 each time it is offered anew."""
    return uuid5(tenant, f"catalogue/procedure/{slug}/{generation}")
