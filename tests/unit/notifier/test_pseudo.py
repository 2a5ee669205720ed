"""Every mail in the pseudo-locale: what has no brackets came by no catalogue."""

import pytest

from chassis.web import pseudo
from services.notifier.domain.kinds import Template
from tests.support.bare import bare, said_in
from tests.support.mails import FACTS, a_mail, words_of

TENANTS = {"YService", "Le Service SAV d'YPOK"}


@pytest.mark.parametrize("template", Template)
def test_a_mail_says_nothing_that_came_by_no_catalogue(template: Template) -> None:
    mail = a_mail(template, language=pseudo.LANGUAGE)
    known = {*TENANTS, *said_in(FACTS)}
    assert bare(words_of(mail, "html"), known) == []
    assert bare(words_of(mail, "plain"), known) == []
    assert bare(str(mail["Subject"]), known) == []
