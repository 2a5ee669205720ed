"""A customer files a request: introduction, form, recap, and one save for a double click."""
