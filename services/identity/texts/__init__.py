"""A slice: what a tenant tells everyone."""
