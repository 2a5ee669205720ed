"""The templates of mails: Jinja's, over one base in MJML.

The base becomes HTML before any data is there, with Jinja's expressions left as they stand: what
people typed is never read as MJML, and a mail costs what a page of Jinja's does.
"""

from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, select_autoescape
from mjml import mjml2html

from chassis.web.i18n import Catalogues
from services.notifier.domain.lines import one_line

CATALOGUES = Catalogues("services.notifier")
TEMPLATES = Path(__file__).parent.parent / "templates"

BASE = "base.html"
FACT_MOST = 300

# MJML calls a mail an article, in English words; to who reads it, it is the page's main part.
ARTICLE, MAIN = 'aria-roledescription="email" class="ground" role="article"', 'role="main"'


class Loader(BaseLoader):
    """Finds the templates beside it; the base it makes of MJML."""

    def get_source(
        self, _environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        file = (TEMPLATES / template).with_suffix(".mjml") if template == BASE else None
        try:
            source = (file or TEMPLATES / template).read_text("utf-8")
        except OSError as error:
            raise TemplateNotFound(template) from error
        return _html(source) if file else source, template, lambda: True


def _html(mjml: str) -> str:
    """The base as HTML. No font is fetched, and nothing is included."""
    html = mjml2html(mjml, fonts={}, disable_comments=True)
    assert ARTICLE in html, "MJML writes its body otherwise"
    return html.replace(ARTICLE, f'class="ground" {MAIN}')


def _environment() -> Environment:
    environment = Environment(
        loader=Loader(),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    CATALOGUES.install(environment)
    environment.filters["line"] = lambda text: one_line(str(text), FACT_MOST)
    return environment


ENVIRONMENT = _environment()
