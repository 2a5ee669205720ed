"""A service's database: connections that know their tenant, rows, roles, policies, migrations."""
