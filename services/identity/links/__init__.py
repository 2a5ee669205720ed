"""What the pages that mailed links open have in common."""
