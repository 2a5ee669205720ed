"""What the notifier does about others' events, one file a source."""
