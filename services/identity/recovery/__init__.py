"""A slice: a person who has lost their identifier or their password."""
