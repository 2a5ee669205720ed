"""A slice: a person who has been mailed a link makes their account theirs."""
