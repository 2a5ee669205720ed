"""What was published once is read for ever."""
