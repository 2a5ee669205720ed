"""Paths of an app's own pages, by name."""

from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.routing import NoMatchFound

from chassis.web.own_links import own_path

THING = UUID("0190a5f0-0000-7000-8000-000000000001")


@pytest.fixture
def app() -> FastAPI:
    return app_at("")


def app_at(prefix: str) -> FastAPI:
    """An app with the pages of a shop, under that prefix."""
    router = APIRouter(prefix=prefix)

    @router.get("/things")
    async def things() -> None: ...

    @router.get("/things/{thing_id}/parts/{slug}")
    async def part(thing_id: UUID, slug: str) -> None: ...

    made = FastAPI()
    made.include_router(router)
    return made


def asked(app: FastAPI) -> Request:
    return Request({"type": "http", "app": app})


def test_a_path_is_that_of_the_app(app: FastAPI) -> None:
    for slug in ("wheel", "{thing_id}", "a b", "%2F"):
        for _ in range(2):  # looked for, then kept
            path = own_path(asked(app), "part", thing_id=THING, slug=slug)
            assert path == str(app.url_path_for("part", thing_id=THING, slug=slug))
    assert own_path(asked(app), "part", slug="wheel", thing_id=THING).endswith("/parts/wheel")
    assert own_path(asked(app), "things") == "/things"


def test_each_app_has_its_own(app: FastAPI) -> None:
    other = app_at("/other")
    assert own_path(asked(app), "things") == "/things"
    assert own_path(asked(other), "things") == "/other/things"


@pytest.mark.parametrize("slug", ["", "a/b", "/"])
def test_what_is_no_part_of_a_path_is_refused(app: FastAPI, slug: str) -> None:
    own_path(asked(app), "part", thing_id=THING, slug="wheel")
    with pytest.raises(ValueError, match="slug"):
        own_path(asked(app), "part", thing_id=THING, slug=slug)


def test_what_there_is_no_route_for_is_said(app: FastAPI) -> None:
    for name, given in (("nothing", {}), ("part", {"slug": "wheel"}), ("things", {"slug": "a"})):
        with pytest.raises(NoMatchFound):
            own_path(asked(app), name, **given)
