"""What can go wrong with webhooks."""

from souvenir.core.errors import Conflict, Invalid, NotFound, gettext_noop


class EndpointNotFound(NotFound):
    code = "webhook-not-found"
    message = gettext_noop("There is no webhook {endpoint_id}.")


class DeliveryNotFound(NotFound):
    code = "delivery-not-found"
    message = gettext_noop("This webhook has no delivery {delivery_id}.")


class EndpointAddressInvalid(Invalid):
    code = "webhook-address-invalid"
    message = gettext_noop(
        "This is no address that a webhook can have. It begins with https://, names a host that is "
        "not a private address, and holds no name or password."
    )


class UnknownEvent(Invalid):
    code = "unknown-event"
    message = gettext_noop("“{event}” is not an event. The events are: {known}.")


class PlacementUnknown(Invalid):
    code = "placement-unknown"
    message = gettext_noop("The registry of placements does not know “{placement}”.")


class TooManyEndpoints(Conflict):
    code = "too-many-webhooks"
    message = gettext_noop("An organization has {most} webhooks at most. Remove one first.")


class EndpointOff(Conflict):
    code = "webhook-off"
    message = gettext_noop("This webhook is turned off. Turn it on first.")
