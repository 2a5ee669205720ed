"""RabbitMQ only carries: from the outboxes to the services' inboxes, and to the processes' caches.

Order, retries, dead letters and fairness are the inbox's. Here an event is published until the
broker has confirmed a copy for each service that keeps it, and stored before it is acknowledged.
"""
