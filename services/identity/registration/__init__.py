"""A slice: a person of a town asks for an account."""
