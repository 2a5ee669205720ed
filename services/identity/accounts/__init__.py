"""A slice: accounts that are made, invited, shown to their person, and erased."""
