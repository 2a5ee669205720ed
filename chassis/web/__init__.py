"""The outer ring of the chassis: what every page shares.

Layout and macros, the drawing of forms, catalogues and formats of each language, assets, the
palette of a tenant, and the answers that are not a page of their own: redirections, errors.
A service makes one `Pages` and lists `install_web(pages)` in its assembly.
"""
