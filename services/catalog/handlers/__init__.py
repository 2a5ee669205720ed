"""What the catalog does about the events of others, one file a source."""
