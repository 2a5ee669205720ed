"""The catalog's rules."""
