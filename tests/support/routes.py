"""The routes of running apps, found in their routers, with the access rules that stand on each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.access import Access
from chassis.app import HEALTH
from guichet.embedded import Installation


@dataclass(frozen=True)
class FoundRoute:
    """A route of a service, as it was found."""

    service: str
    path: str
    methods: frozenset[str]
    rules: tuple[Access, ...]
    kind: str  # of the class that serves it: what is no APIRoute takes no rules

    @property
    def is_page(self) -> bool:
        """Is it for people, rather than for the installation's other parts?"""
        return all(rule.kind not in {"parts", "operators"} for rule in self.rules)

    def __str__(self) -> str:
        return f"{self.service} {'|'.join(sorted(self.methods))} {self.path}"


def routes_of(service: str, app: FastAPI) -> list[FoundRoute]:
    """All that the app answers, but for health."""
    found = []
    for context in iter_route_contexts(app.router.routes):
        route = context.original_route
        path = context.path or ""
        if path in HEALTH:
            continue
        dependant = context.dependant if isinstance(route, APIRoute) else None
        found.append(
            FoundRoute(
                service=service,
                path=path,
                methods=frozenset(context.methods or ()),
                rules=tuple(_rules(dependant)),
                kind=type(route).__name__,
            )
        )
    return found


def all_routes(installation: Installation) -> list[FoundRoute]:
    """Those of every service that runs."""
    return [
        route for service, app in installation.apps.items() for route in routes_of(service, app)
    ]


def pages(installation: Installation) -> list[FoundRoute]:
    """Those that people reach through the gateway."""
    return [route for route in all_routes(installation) if route.is_page]


def _rules(dependant: Any) -> Iterator[Access]:
    if not isinstance(dependant, Dependant):
        return
    for one in dependant.dependencies:
        if isinstance(one.call, Access):
            yield one.call
        yield from _rules(one)
