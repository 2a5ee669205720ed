"""The services: each owns its data and its pages, and knows of the others by their events alone."""
