"""What can go wrong with keys. All of it fails closed: nothing is read or written without them."""

from souvenir.core.errors import NotFound, Unavailable, gettext_noop


class ContentGone(NotFound):
    """The key of someone it speaks of was destroyed: 410, for it was here."""

    code = "content-gone"
    message = gettext_noop("What stood here was erased for good: its key was destroyed.")


class KeystoreUnavailable(Unavailable):
    """The keystore or the keyring's database does not answer: 503."""

    code = "keystore-unavailable"
    message = gettext_noop("The keystore does not answer. Nothing was changed; try again.")


class KeyRefused(Unavailable):
    """The keystore answers, and refuses this organization's key: 423."""

    code = "key-refused"
    message = gettext_noop(
        "The keystore refuses this organization’s key, so nothing of it can be read or written. "
        "Whoever holds the key must allow it again."
    )
