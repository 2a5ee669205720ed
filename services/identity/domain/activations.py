"""Activations: whether the account that a link names can still be made its person's by it."""

from datetime import datetime

from services.identity.domain.links import GoneLink, Link, Standing, UsedLink


def can_ask_again(link: Link, standing: Standing | None) -> bool:
    """May its bearer ask for another? While the account waits, at the address it was mailed to."""
    return (
        standing is not None
        and standing.account_state == "pending"
        and link.was_mailed_to(standing.address)
    )


def check_serves(link: Link, standing: Standing | None, now: datetime) -> None:
    """Raises UsedLink, GoneLink or ExpiredLink. Signature and place were checked."""
    if standing is None or standing.account_state == "erased":
        raise GoneLink
    if standing.consumed_at is not None or standing.account_state == "active":
        raise UsedLink
    if not link.was_mailed_to(standing.address):
        raise GoneLink
    if standing.voided_at is not None:
        raise UsedLink
    link.check_age(now)
