"""The catalog: what a tenant offers, and the first page that its customers see.

Owns categories, procedures and the versions of their forms. It promises the home page and the
pages of categories while every other part is down, and tells each change once: an import that
changes nothing emits nothing.
"""
