"""Paths of a service's own pages, by the names of their routes.

The app looks for a name among all of its routes, some 40 µs, which a list would pay for each row:
here it is asked once for each name, and what it answers is filled in from then on.
"""

from typing import Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI, Request

_forms: WeakKeyDictionary[FastAPI, dict[tuple[str, ...], str]] = WeakKeyDictionary()
"""Of each app, by a route's name and its parameters': the path, with each as `{name}`."""


def own_path(http: Request, route_name: str, **path_params: Any) -> str:
    """The path of that route with these parameters.

    Raises starlette's NoMatchFound where there is no such route, and ValueError for a parameter
    that would not be one part of a path: empty, or with a slash in it.
    """
    filled = {name: str(value) for name, value in path_params.items()}
    if bad := [name for name, value in filled.items() if not value or "/" in value]:
        raise ValueError(f"no part of a path: {', '.join(bad)}")
    forms = _forms.setdefault(http.app, {})
    key = (route_name, *filled)
    if key not in forms:
        as_named = {name: f"{{{name}}}" for name in filled}
        forms[key] = str(http.app.url_path_for(route_name, **as_named))
    return forms[key].format_map(filled)
