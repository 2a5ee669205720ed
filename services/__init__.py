"""The services, each on its own: none imports another."""
