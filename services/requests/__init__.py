"""Requests: what customers file through procedures' forms, and how they follow it up.

Owns requests, their answers and numbers, and what each person accepted of the terms on the way. It
promises that whoever saw `a été enregistrée` finds the request again: saved once for a double
click, under a number that no other has, whichever other part is down.
"""
