"""A registration that was never activated is erased, as the terms promise."""

from uuid import UUID

from sqlalchemy import delete, select

from chassis.subscriptions import Timer
from chassis.work import UnitOfWork
from contracts.identity import RegistrationLapsed
from services.identity.tables import Account, Activation, Organisation, Person, Registration


class LapseRegistration(Timer, subject="submission_id"):
    """Set when a registration is submitted; due thirty days later."""

    submission_id: UUID


async def lapse_registration(work: UnitOfWork, timer: LapseRegistration) -> None:
    """Erase what the registration told and what was made of it, unless it was activated."""
    account = await _account_of(work, timer.submission_id)
    if account is not None and account.state != "pending":
        return
    registration = await work.fetch(Registration, timer.submission_id)
    if registration.state in {"activated", "lapsed"}:
        return
    registration.state, registration.answers, registration.account_id = "lapsed", {}, None
    await work.db.flush()
    traces = [registration.id, registration.request_id]
    if account is not None:
        traces += await _delete_account(work, account)
    await work.erase_traces(*traces)
    work.emit(RegistrationLapsed(submission_id=registration.id))


async def _account_of(work: UnitOfWork, submission_id: UUID) -> Account | None:
    """The account that was made of it: locked before the registration, as activation does."""
    found = await work.db.execute(
        select(Registration.account_id).where(Registration.id == submission_id)
    )
    account_id = found.scalar_one_or_none()
    return None if account_id is None else await work.fetch(Account, account_id)


async def _delete_account(work: UnitOfWork, account: Account) -> list[UUID]:
    """Delete the account, which nobody ever signed in with. Answers whom it was about."""
    links = await work.db.execute(
        delete(Activation).where(Activation.account_id == account.id).returning(Activation.id)
    )
    traces = [account.id, account.person_id, *links.scalars()]
    await work.db.execute(delete(Account).where(Account.id == account.id))
    await work.db.execute(delete(Person).where(Person.id == account.person_id))
    await work.db.execute(delete(Organisation).where(Organisation.id == account.organisation_id))
    return traces
