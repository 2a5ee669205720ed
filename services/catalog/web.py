"""The catalog's pages: its templates and its words, on the layout that all share."""

from chassis.web.pages import Pages

web = Pages("services.catalog")
