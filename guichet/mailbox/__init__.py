"""The mail catcher of the embedded way: it plays every recipient, so no mail leaves the machine.

Real SMTP on one port; on another an inbox page and the part of Mailpit's API that lists and reads.
A mail is accepted once it is on the disk, and stays over a restart.
"""

from guichet.mailbox.mailbox import Mailbox, PortInUse

__all__ = ["Mailbox", "PortInUse"]
