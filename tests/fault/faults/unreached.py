"""Call sites of the seam that no scenario comes by, each with the reason. A site is named
as "file function: name of what it calls"."""

WINDOWS = "only where keys are sealed, which is on Windows: certrenewd-seam.exe has it too"

# Of the program for Linux.
REASONS = {
    "config/secrets.c from_dpapi: unseal": WINDOWS,
    "daemon/versions.c version_forget_key: file_replace": WINDOWS,
    "daemon/versions.c version_forget_key: file_remove": WINDOWS,
    "daemon/watch_look.c thumbprint_of: file_read":
        "only for the certificate store of Windows: certrenewd-seam.exe has it too",
}


def named(name, where):
    """The key of a site above: lines move."""
    place, function = where.split(" ")
    return f"{place.split(':')[0]} {function}: {name}"
