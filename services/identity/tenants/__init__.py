"""A slice: operators make, change and suspend tenants; the gateway asks who they are."""
