"""The rules of requests, as functions over values: no await, no SQL, no clock."""
