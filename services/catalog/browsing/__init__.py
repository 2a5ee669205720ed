"""The visitor's slice: to see what is offered, and to choose."""
