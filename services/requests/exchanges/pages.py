"""The page of conversations. None can be held here yet, and it says so."""

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import allow
from chassis.app import HTTPRequest
from chassis.principals import CUSTOMER, MANAGER
from services.requests.web import web

pages = APIRouter()


@pages.api_route("/exchanges", methods=["GET", "HEAD"], dependencies=[allow(CUSTOMER, MANAGER)])
async def exchanges(http: HTTPRequest) -> Response:
    """No conversation yet; how to reach the team meanwhile."""
    return web.render(http, "exchanges/list.html")
