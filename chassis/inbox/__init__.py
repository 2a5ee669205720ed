"""The inbox: events and timers stored first, then handled once each.

The one place for order, retries, dead letters and fairness, whatever carried the events here.
"""
