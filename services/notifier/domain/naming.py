"""Whom a mail's facts name besides its reader: the accounts of an address, by their usernames."""

from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Any
from uuid import UUID

Facts = dict[str, Any]


def account_facts(usernames: Sequence[str], account_ids: Sequence[UUID]) -> Facts:
    """The accounts as facts. Without their ids an erasure can't find them."""
    pairs = zip_longest(usernames, account_ids[: len(usernames)])
    return {"accounts": [{"id": id and str(id), "username": username} for username, id in pairs]}


def naming(account: UUID) -> Facts:
    """What the facts of a mail that names this account contain."""
    return {"accounts": [{"id": str(account)}]}


def names_nobody(facts: Facts) -> bool:
    """Were accounts listed, and is none of them left?"""
    return facts.get("accounts") == []


def without(facts: Facts, gone: Collection[UUID]) -> Facts:
    """The facts without the accounts of those who are gone."""
    names = {str(id) for id in gone}
    return {**facts, "accounts": [one for one in facts["accounts"] if one["id"] not in names]}
