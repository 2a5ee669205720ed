"""Conversations with the support team."""
