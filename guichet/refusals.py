"""How commands tell what they can't do: one sentence on standard error, and status 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from chassis import logs
from chassis.problems import Problem
from chassis.settings import Settings
from guichet.beside import NoSuchTenant
from guichet.postgres import CannotStart
from services.catalog.importing.read_catalogue import CatalogueError


def refuse(sentence: str) -> NoReturn:
    """End the command with this sentence."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


@contextmanager
def told() -> Iterator[Settings]:
    """Settings for a command whose refusals are told in a sentence."""
    try:
        settings = Settings()
    except ValidationError as error:
        refuse(wrong_settings(error))
    except SettingsError as error:  # its message names the setting alone, its cause holds the value
        refuse(f"A setting is no JSON: {error}. Correct it, or unset it.")
    logs.configure(settings.log_format, "WARNING")
    try:
        yield settings
    except CannotStart as refusal:
        refuse(str(refusal))
    except NoSuchTenant as refusal:
        refuse(f"There is no tenant {refusal}: `guichet tenant list` names them.")
    except Problem as refusal:
        refuse(refusal.title % refusal.facts if refusal.facts else refusal.title)
    except CatalogueError as error:
        refuse(str(error))
    except ValidationError as error:
        refuse(
            "\n".join(
                f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
                for one in error.errors()
            )
        )


def wrong_settings(error: ValidationError) -> str:
    """A line for each setting that can't be what it is."""
    return "\n".join(_setting(one) for one in error.errors())


def _setting(error: ErrorDetails) -> str:
    """What stands within a setting is not quoted: the whole of a relay holds its password."""
    (first, *within), why = error["loc"], error["msg"]
    name = f"GUICHET_{first}".upper()
    if within:
        return f"{name} can't be that at {'.'.join(map(str, within))} ({why}): correct it."
    value = error["input"]
    said = f"“{value}”" if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
    return f"{name} can't be {said} ({why}): correct it, or unset it."
