"""A slice: accounts that are made, found, invited and erased."""
