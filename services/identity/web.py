"""Identity's pages: its templates and its words, on the layout that all share."""

from chassis.web.pages import Pages

web = Pages("services.identity")

READING = ["GET", "HEAD"]

SECRET = {"Cache-Control": "no-store"}
"""For pages that hold a link, or that a later person at the same browser should not see."""
