"""What can go wrong at the console's own door."""

from souvenir.core.errors import Forbidden, Invalid, NotFound, gettext_noop


class PageNotFound(NotFound):
    code = "page-not-found"
    message = gettext_noop("There is no page at this address.")


class MetadataLineInvalid(Invalid):
    code = "metadata-line-invalid"
    message = gettext_noop(
        "Line {line} of the metadata is no name and value: write “name: value”, each name once."
    )


class PageNotYours(Forbidden):
    code = "page-not-yours"
    message = gettext_noop("This page is not for your account.")


class NoOrganization(Forbidden):
    code = "no-organization"
    message = gettext_noop(
        "Your account belongs to no organization yet. Ask the owner of yours to add you."
    )


class NoMemoryOfYourOwn(Forbidden):
    code = "no-memory-of-your-own"
    message = gettext_noop(
        "Your account has no memory of its own yet. Ask the owner of your organization to connect "
        "one."
    )


class MemoryErased(Forbidden):
    code = "memory-erased"
    message = gettext_noop(
        "Your memory was erased. To begin a new one, ask the owner of your organization."
    )
