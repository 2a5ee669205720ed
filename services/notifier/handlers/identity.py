"""What the notifier does about identity's events: mails with links, addresses, erasures."""

from chassis.work import UnitOfWork
from contracts.identity import (
    AccountErased,
    ActivationRequested,
    AddressAlreadyKnown,
    EmailChanged,
    EmailChangeRequested,
    InvitationRequested,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationLapsed,
    UsernameReminderRequested,
)
from services.notifier.domain.kinds import Template
from services.notifier.domain.naming import account_facts, names_nobody, without
from services.notifier.domain.outcomes import About
from services.notifier.queueing.erase_mails import erase_mails
from services.notifier.queueing.follow_person import follow_person
from services.notifier.queueing.queue_mail import Recipient, queue_mail
from services.notifier.queueing.who_is_gone import who_is_gone


async def mail_activation(work: UnitOfWork, event: ActivationRequested) -> None:
    """Send the link that activates an account."""
    await queue_mail(
        work,
        Template.ACTIVATION,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(account_id=event.account_id, submission_id=event.submission_id),
        link_id=event.activation_id,
    )


async def mail_address_known(work: UnitOfWork, event: AddressAlreadyKnown) -> None:
    """Tell who asked for an account of those they have, and offer a further one."""
    gone = await who_is_gone(work, event.account_ids)
    await queue_mail(
        work,
        Template.ADDRESS_KNOWN,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(submission_id=event.submission_id),
        facts=without(account_facts(event.usernames, event.account_ids), gone),
        link_id=event.submission_id,
    )


async def mail_invitation(work: UnitOfWork, event: InvitationRequested) -> None:
    """Invite somebody to the account that was made for them."""
    await queue_mail(
        work,
        Template.INVITATION,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(account_id=event.account_id),
        link_id=event.invitation_id,
    )


async def mail_username_reminder(work: UnitOfWork, event: UsernameReminderRequested) -> None:
    """Tell an address every identifier that it has, those of erased accounts left out."""
    gone = await who_is_gone(work, event.account_ids)
    facts = without(account_facts(event.usernames, event.account_ids), gone)
    if names_nobody(facts):
        return
    await queue_mail(
        work,
        Template.USERNAME_REMINDER,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(),
        concerned=(event.recovery_id,),
        facts=facts,
    )


async def mail_password_reset(work: UnitOfWork, event: PasswordResetRequested) -> None:
    """Send the link that sets a new password."""
    await queue_mail(
        work,
        Template.PASSWORD_RESET,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(account_id=event.account_id),
        facts={"username": event.username},
        link_id=event.reset_id,
    )


async def mail_password_changed(work: UnitOfWork, event: PasswordChanged) -> None:
    """Tell a person that their password is another, in case it was not them."""
    await queue_mail(
        work,
        Template.PASSWORD_CHANGED,
        to=Recipient(event.address, event.language),
        requested_at=event.changed_at,
        about=About(account_id=event.account_id),
        facts={"username": event.username, "changed_at": event.changed_at.isoformat()},
    )


async def mail_address_change(work: UnitOfWork, event: EmailChangeRequested) -> None:
    """Ask a new address to confirm itself."""
    await queue_mail(
        work,
        Template.ADDRESS_CHANGE,
        to=Recipient(event.address, event.language),
        requested_at=event.requested_at,
        about=About(account_id=event.account_id),
        facts={"username": event.username},
        link_id=event.change_id,
    )


async def mail_address_changed(work: UnitOfWork, event: EmailChanged) -> None:
    """Tell the old address that mails go elsewhere, in case it was not its person.

    The new one is not said: whoever reads the old mailbox need not know it.
    """
    await queue_mail(
        work,
        Template.ADDRESS_CHANGED,
        to=Recipient(event.old_address, event.language),
        requested_at=event.changed_at,
        about=About(account_id=event.account_id, person_id=event.person_id),
        facts={"username": event.username, "changed_at": event.changed_at.isoformat()},
    )


async def project_requester(work: UnitOfWork, event: ProfileChanged) -> None:
    """Keep where and how mails reach a person."""
    await follow_person(
        work,
        event.person_id,
        account_id=event.account_id,
        name=f"{event.first_name} {event.birth_name}",
        address=event.address,
        language=event.language,
    )


async def erase_account(work: UnitOfWork, event: AccountErased) -> None:
    """Let go of an account, its person and the registration that it came from."""
    registration = () if event.submission_id is None else (event.submission_id,)
    await erase_mails(work, event.account_id, event.person_id, *registration)


async def erase_submission(work: UnitOfWork, event: RegistrationLapsed) -> None:
    """Let go of a registration that was never activated."""
    await erase_mails(work, event.submission_id)
