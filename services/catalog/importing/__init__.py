"""The team's slice: a catalogue written in YAML is read, checked and put in place."""
