"""A slice: what a tenant tells everyone, and how to reach its team."""
