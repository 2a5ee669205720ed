"""Who has an account at this address asks for another one, by the link of the mail that said so."""

from chassis.work import UnitOfWork
from services.identity.domain.links import GoneLink, Link, UsedLink
from services.identity.registration.opening import open_account
from services.identity.tables import Registration


async def ask_for_further_account(work: UnitOfWork, link: Link) -> None:
    """Open an account from the submission that the link names, once.

    The link's signature, place and age were checked. Raises UsedLink and GoneLink.
    """
    registration = await work.find(Registration, Registration.id == link.id)
    if registration is None:
        raise GoneLink
    check_further(link, registration.state, registration.answers.get("email", ""))
    await open_account(work, registration)


def check_further(link: Link, state: str, address: str) -> None:
    """Does the link still serve, where this is its registration's state and address?"""
    if state in {"opened", "activated"}:
        raise UsedLink
    if state != "known" or not link.was_mailed_to(address):
        raise GoneLink
