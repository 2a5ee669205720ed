"""Measurements, each a module to be run by hand; not part of `make test`."""
