"""Identity: whose portals there are, who may sign in to them, and as whom.

Owns tenants, organisations, people, accounts, credentials, sessions and terms; renders account
creation whole, activation, sign-in and the tenant's texts; tells the other services by events.
Promises: registering and signing in answer alike whether or not an address or an identifier is
known; a link serves once, for a while, and only by its page's button; no password, session cookie
or usable link can be read from its database or its log; what is never activated is erased.
"""
