"""The microservice chassis: what every service stands on, and no business noun.

Settings, tenancy, database, unit of work, outbox, inbox, bus, principals, keys, telemetry and the
app factory; around them, as an outer ring that these may not import, `chassis.web`.
"""
