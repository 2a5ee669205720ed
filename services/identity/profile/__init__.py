"""A slice: a person changes what the portal knows of them, and ends their sessions."""
