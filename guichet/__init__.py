"""The command line and the assembly: the one place that may import every part."""
