"""Attachments: which files a support desk takes, how large, and what is said of the others."""

from chassis.problems import Invalid
from chassis.words import N_

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_TOGETHER = 25 * 1024 * 1024
"""Bytes of all files of a draft, and so of a request."""

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000

IMAGES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
TEXTS = {"txt": "text/plain", "log": "text/plain", "csv": "text/csv"}
DOCUMENTS = {
    "pdf": "application/pdf",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MEDIA_TYPES = {**IMAGES, **TEXTS, **DOCUMENTS}
"""By extension: what is taken. No archives, whose content can't be told; nothing that runs."""

TAKEN = "PDF, PNG, JPEG, WebP, TXT, CSV, ODT, ODS, DOCX, XLSX"


class Refused(Invalid):
    """A file is not taken. `name` is told with each."""


class TooLarge(Refused):
    """More than a file may have."""

    title = N_("“%(name)s” is larger than 10 MB. Attach a smaller file; your answers are kept.")


class TooMuchTogether(Refused):
    """More than a request may have."""

    title = N_(
        "With “%(name)s”, the files are larger than 25 MB together. Remove some, or attach smaller "
        "ones; your answers are kept."
    )


class Gone(Refused):
    """It waited for its person to sign in again, who came too late for it."""

    title = N_(
        "“%(name)s” was kept for an hour after your session had ended. Attach it again; your "
        "answers are kept."
    )


class TooManyAtOnce(Refused):
    """More than one reads at a time."""

    title = N_("“%(name)s” was one file too many at once. Attach it again.")


class Empty(Refused):
    """Nothing in it."""

    title = N_("“%(name)s” is empty. Attach it again, or another file.")


class NotTaken(Refused):
    """Of a kind that is not taken."""

    title = N_("“%(name)s” is of a kind that is not taken. Attach one of these: %(taken)s.")


class NotWhatItSays(Refused):
    """Its content is of another kind than its extension says, or of several."""

    title = N_(
        "The content of “%(name)s” does not match its name. Save it anew in its own program, then "
        "attach it again."
    )


class TooManyPixels(Refused):
    """More than one decodes."""

    title = N_("The picture “%(name)s” has too many pixels. Make it smaller, then attach it again.")


class TooDense(Refused):
    """A document that would fill a disk once it is unpacked, or hides what runs."""

    title = N_(
        "The document “%(name)s” can’t be checked. Save it anew without macros, or as a PDF, then "
        "attach it again."
    )


class TooBusy(Refused):
    """Too many wait for their files to be checked."""

    title = N_("“%(name)s” could not be checked just now. Attach it again in a moment.")
