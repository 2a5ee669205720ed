"""Identity's rules."""
