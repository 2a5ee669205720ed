"""What set-up can't do by itself."""


class Unready(Exception):
    """Its message is a sentence for the person at the terminal: what is wrong, what to do."""
