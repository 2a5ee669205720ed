"""Delivery: claims queued mails, renders each at the moment of sending, sends it, marks it."""
