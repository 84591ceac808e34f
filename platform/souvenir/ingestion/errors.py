"""What can go wrong when something is brought in. Formats have errors of their own."""

from souvenir.core.errors import Invalid, NotFound, gettext_noop


class ImportNotFound(NotFound):
    code = "import-not-found"
    message = gettext_noop("There is no import {import_id}.")


class UploadEmpty(Invalid):
    code = "upload-empty"
    message = gettext_noop("The file is empty. Download your export again, and upload it whole.")


class UploadTooLarge(Invalid):
    code = "upload-too-large"
    message = gettext_noop(
        "The file is larger than the {limit_bytes} bytes that are taken at once. Ask the operator."
    )


class UploadGone(Invalid):
    code = "upload-gone"
    message = gettext_noop("The uploaded file is not there any more. Upload it again.")


class PersonNeeded(Invalid):
    code = "person-needed"
    message = gettext_noop("Say whose history this is: name the person.")


class ArchiveOfSeveral(Invalid):
    code = "archive-of-several"
    message = gettext_noop(
        "This archive holds {count} people, and was brought for one. Bring it without naming a "
        "person, as the organization’s owner."
    )
