"""`guichet doctor`: names what is wrong with an installation, of either way to run, and what to do.

One file a check. A check looks and changes nothing; it tells a `Finding` only of what it has seen,
and only where somebody can do something about it.
"""
