"""The gateway: host to tenant, cookie to principal, path to part; guards and security headers.

It owns nothing that lasts. What it caches, tenants and sessions, it loads from identity and keeps
current by broadcasts.
"""
