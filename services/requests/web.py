"""The templates and catalogues of requests, and what its pages ask of each call."""

from uuid import UUID

from chassis.app import HTTPRequest
from chassis.principals import Principal
from chassis.problems import SignInRequired, Unavailable
from chassis.web.pages import Pages, tenant_view
from chassis.web.tenant_view import TenantView

web = Pages("services.requests")


def portal_of(http: HTTPRequest) -> TenantView:
    """The tenant whose portal was asked. Raises Unavailable until this service was told of it."""
    view = tenant_view(http)
    if view is None:
        raise Unavailable
    return view


def person_of(http: HTTPRequest) -> UUID:
    """The person who is signed in. Raises SignInRequired."""
    principal: Principal = http.state.principal
    if principal.person_id is None:
        raise SignInRequired
    return principal.person_id
