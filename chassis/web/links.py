"""The addresses that pages of one part link to and another part serves."""

from urllib.parse import quote, urlencode
from uuid import UUID

HOME = "/"
REGISTER = "/register"
SIGN_IN = "/sign-in"
CREATE_ACCOUNT = "/sign-in#create-account"  # the page that offers both, at its second column
SIGN_OUT = "/sign-out"  # POST
RECOVERY = "/recovery"
PROFILE = "/profile"
MY_REQUESTS = "/requests"
EXCHANGES = "/exchanges"
LANGUAGE = "/language"  # POST, the gateway's
THEME_CHOICE = "/theme-choice"  # POST, the gateway's
HELP = "/texts/help"
LEGAL = "/texts/legal"
PRIVACY = "/texts/privacy"
ACCESSIBILITY = "/texts/accessibility"
TERMS = "/texts/terms"


def category(slug: str) -> str:
    """The page of a category."""
    return f"/categories/{quote(slug, safe='')}"


def procedure(slug: str) -> str:
    """The introduction of a procedure."""
    return f"/procedures/{quote(slug, safe='')}"


def resume(slug: str) -> str:
    """The form of a procedure of which one has a draft, as far as it is filled in."""
    return f"{procedure(slug)}?resume=1"


def discard_draft(draft_id: UUID) -> str:
    """Where a draft is thrown away, by POST."""
    return f"{MY_REQUESTS}/drafts/{draft_id}/discard"


def local(path: str, default: str = HOME) -> str:
    """The path, if it stays on this host; what a stranger could have written goes home instead."""
    harmless = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if harmless and path.isprintable() else default


def sign_in_again(*, form: str, files: str = "") -> str:
    """Where a form is led that came to that address without its session, as it was sent."""
    told = {"form": form, "files": files} if files else {"form": form}
    return f"{SIGN_IN}/again?{urlencode(told)}"


def sign_in(*, next: str, why: str) -> str:
    """The sign-in page that leads on to `next` and says why one has to sign in."""
    return f"{SIGN_IN}?{urlencode({'next': next, 'why': why})}"
