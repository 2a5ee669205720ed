"""The gateway before parts that are served for real."""
