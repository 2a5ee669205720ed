"""`guichet events …`: what operators see of events, and do to those that could not be handled.

Beside a running installation or alone, and in both ways to run. Never shows what an event holds:
a person's data stay where they are.
"""
