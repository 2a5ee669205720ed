"""Journeys: all of it, through the gateway, in a real browser, by the labels that people see."""
