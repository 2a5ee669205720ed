"""The catalog's rules, as functions over values."""
