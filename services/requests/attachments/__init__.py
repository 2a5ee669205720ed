"""Attached files: served to who may see them, their bytes swept once they are nobody's."""
