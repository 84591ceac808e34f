"""What can go wrong at the door itself."""

from souvenir.core.errors import Forbidden, Invalid, gettext_noop


class KeyMissing(Forbidden):
    code = "key-missing"
    message = gettext_noop("Send your key: Authorization: Bearer souv_…")


class KeyInvalid(Forbidden):
    code = "key-invalid"
    message = gettext_noop("This key is unknown, expired or revoked. Ask the owner for a new one.")


class ScopeMissing(Forbidden):
    code = "scope-missing"
    message = gettext_noop("This key lacks the scope “{scope}”. Ask the owner for one that has it.")


class PlatformKeyNeeded(Forbidden):
    code = "platform-key-needed"
    message = gettext_noop("Only a platform key may do this.")


class OrganizationKeyNeeded(Forbidden):
    code = "organization-key-needed"
    message = gettext_noop("Only a key of an organization may do this.")


class RequestInvalid(Invalid):
    """`errors` in the answer says which fields, each with a JSON pointer."""

    code = "request-invalid"
    message = gettext_noop("Some of what was sent cannot be used; see “errors”.")


class BodyTooLarge(Invalid):
    code = "body-too-large"
    message = gettext_noop("The request is larger than the {limit_bytes} bytes that are taken.")


class RequestTooSlow(Invalid):
    code = "request-too-slow"
    message = gettext_noop("What was sent came too slowly and was given up. Send it once more.")


class NotAcceptable(Invalid):
    """The request itself is not one that this address takes."""

    code = "request-not-taken"
    message = gettext_noop("This address does not take such a request: {detail}")


class AddressNotFound(Invalid):
    code = "address-not-found"
    message = gettext_noop("There is nothing at this address.")
