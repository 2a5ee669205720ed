"""What the gateway asks of sessions."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from chassis.access import PARTS
from chassis.app import Opening
from chassis.problems import NotFound
from services.identity.signing_in.look_up_session import look_up_session

api = APIRouter()


class WantedSession(BaseModel):
    """Whose cookie is this?"""

    session: str


@api.post("/internal/sessions/look-up", dependencies=[PARTS])
async def post_look_up(wanted: WantedSession, begin: Opening) -> dict[str, Any]:
    """Who is signed in by it on the token's tenant, or 404."""
    async with begin() as work:
        signed_in = await look_up_session(work, wanted.session)
    if signed_in is None:
        raise NotFound
    return {
        "session_id": str(signed_in.session_id),
        "account_id": str(signed_in.account_id),
        "person_id": str(signed_in.person_id),
        "organisation_id": str(signed_in.organisation_id),
        "roles": list(signed_in.roles),
        "display_name": signed_in.display_name,
        "language": signed_in.language,
        "until": signed_in.until.isoformat(),
    }
