"""What is deployed beside the project's own programs."""
