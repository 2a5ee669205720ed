"""Queueing: what is done to the queue because of an event, in that event's transaction."""
