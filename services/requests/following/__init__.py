"""A customer follows their requests: the list, each one's answers, and the page made for paper."""
