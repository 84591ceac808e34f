"""What can go wrong with a copy."""

from souvenir.core.errors import Conflict, NotFound, gettext_noop


class ExportNotFound(NotFound):
    code = "export-not-found"
    message = gettext_noop("There is no copy {export_id}.")


class ExportNotReady(Conflict):
    code = "export-not-ready"
    message = gettext_noop("This copy is not written yet. Ask again in a moment.")


class LinkInvalid(NotFound):
    code = "link-invalid"
    message = gettext_noop(
        "This link is not valid, or no longer: links end with their copy. Ask for a new copy."
    )
