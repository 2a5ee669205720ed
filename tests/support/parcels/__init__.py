"""A service of the tests' own, with which the chassis is tried by itself."""
