"""Inbox, publisher and consumer, run as they are over a store in memory, in virtual time.

`pytest tests/simulation` tries many seeds; with `GUICHET_SIMULATION_SEED=123` that one alone, and
`-s` prints what happened in it; with `GUICHET_SIMULATION_SEEDS=50000` more of them.
"""
