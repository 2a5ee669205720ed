"""What requests does about the events of others, one file a source."""
