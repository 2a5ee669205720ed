"""The parcels service, for the tests of the chassis."""

from tests.support.parcels.fixtures import keys, parcels, parcels_database, worker

__all__ = ["keys", "parcels", "parcels_database", "worker"]
