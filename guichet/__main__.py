"""`python -m guichet`."""

from guichet.cli import app

app()
