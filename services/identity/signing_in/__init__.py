"""A slice: a person signs in and out; the gateway asks who a cookie is."""
