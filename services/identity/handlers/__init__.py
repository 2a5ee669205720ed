"""What identity does about events, one file a source."""
