"""The published language: what the services tell each other, and nothing of how they work.

Event classes by the service that publishes them, the envelope that carries them, the definition
of forms that travels in them, and the paths of the links that mails hold. Every other part
imports this one; it imports none.
"""
