"""Identity on a real database."""
