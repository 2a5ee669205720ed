"""The rules of mails, as functions over values."""
