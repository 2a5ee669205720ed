"""From what a browser brings to a link whose signature and place are right."""

from chassis.app import HTTPRequest
from chassis.runtime import Runtime
from chassis.signatures import BadSignature, read
from contracts.links import LINK_PARAMETER, Purpose
from services.identity.domain.links import AlteredLink, Link

MINTED_BY = "notifier"


def token_of(http: HTTPRequest) -> str:
    """What the address holds."""
    return http.query_params.get(LINK_PARAMETER, "")


def read_link(http: HTTPRequest, token: str, purpose: Purpose) -> Link:
    """What the link says. Raises AlteredLink and ForeignLink; its age is not looked at."""
    runtime: Runtime = http.app.state.runtime
    try:
        claims = read(runtime.keys.public_keys(MINTED_BY), token)
    except BadSignature as error:
        raise AlteredLink from error
    link = Link.of(claims)
    link.check_place(purpose, http.state.call.tenant)
    return link
