"""`/ops`: what operators see of every part, and what they do to dead events. Nothing lasts here."""
