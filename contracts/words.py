"""Words in several languages, as catalogues of procedures, events and stored answers carry them."""

Words = dict[str, str]
"""Language (`fr`, `en`) → text."""

Text = str | Words
"""Fixed forms, declared in code, hold a gettext msgid; catalogues hold the words themselves."""
