"""An account is erased, with its person."""

from uuid import UUID

from sqlalchemy import delete, or_, select, update

from chassis.database.tables import outbox
from chassis.work import UnitOfWork
from contracts.identity import AccountErased
from services.identity.sessions import end_sessions_of
from services.identity.tables import (
    Acceptance,
    Account,
    Activation,
    EmailChange,
    Person,
    Recovery,
    Registration,
    Reset,
)


async def erase_account(work: UnitOfWork, account_id: UUID) -> None:
    """Clear what is known of the person, sign them out everywhere, and tell of it.

    The row stays, empty, for who asks for its id again. Without effect where that was done; raises
    NotFound. The organisation is not the person's and stays.
    """
    account = await work.fetch(Account, account_id)
    if account.state == "erased":
        return
    person = await work.fetch(Person, account.person_id)
    await _clear_recoveries(work, account, person)
    person.title = person.birth_name = person.first_name = ""
    person.address = person.address_key = ""
    person.phone = None
    account.state = "erased"
    account.username = account.username_key = account.password_hash = None
    account.roles = []
    await work.db.flush()
    traces = [account.id, person.id, *await _delete_links(work, account.id)]
    await work.db.execute(delete(Acceptance).where(Acceptance.account_id == account.id))
    traces += await _clear_registrations(work, account)
    await work.erase_traces(*traces)
    await work.db.execute(  # mails to the address that list this account's identifier
        delete(outbox).where(
            outbox.c.tenant_id == work.tenant,
            outbox.c.envelope.contains({"data": {"account_ids": [str(account.id)]}}),
        )
    )
    await end_sessions_of(work, account)
    work.emit(
        AccountErased(
            account_id=account.id, person_id=person.id, submission_id=account.submission_id
        )
    )


async def _delete_links(work: UnitOfWork, account_id: UUID) -> list[UUID]:
    """What its mailed links name. Answers whom events may still speak of."""
    gone: list[UUID] = []
    for kind in (Activation, Reset, EmailChange):
        found = await work.db.execute(
            delete(kind).where(kind.account_id == account_id).returning(kind.id)
        )
        gone += found.scalars()
    return gone


async def _clear_recoveries(work: UnitOfWork, account: Account, person: Person) -> None:
    """That it lost something, and what somebody typed of it that was not looked at yet.

    The rows stay until they lapse: links of other accounts may have come of them.
    """
    await work.db.execute(
        update(Recovery)
        .where(
            or_(
                Recovery.account_id == account.id,
                Recovery.address_key == person.address_key,
                Recovery.username_key == account.username_key,
            )
        )
        .values(address_key=None, username_key=None, account_id=None)
    )


async def _clear_registrations(work: UnitOfWork, account: Account) -> list[UUID]:
    """What its registration told goes too. Answers whom events may still speak of."""
    found = await work.db.execute(
        select(Registration).where(Registration.account_id == account.id).with_for_update()
    )
    traces: list[UUID] = []
    for registration in found.scalars():
        registration.state, registration.answers = "lapsed", {}
        traces += [registration.id, registration.request_id]
    return traces
