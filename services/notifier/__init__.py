"""The notifier: turns what others tell into mails, and sees each to the relay's final answer.

Owns the queue of mails and the attempts at each. Promises: one mail for each event that asks for
one; nothing lost while the relay is away; no copy but where SMTP itself leaves it open, and then
with the same Message-ID; no usable link at rest.
"""
