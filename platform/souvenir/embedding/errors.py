"""What can go wrong when a text is to become a vector."""

from souvenir.core.errors import Unavailable, gettext_noop


class EmbedderUnavailable(Unavailable):
    code = "embedder-unavailable"
    message = gettext_noop("Texts cannot be turned into vectors at the moment.")


class WeightsMissing(EmbedderUnavailable):
    code = "embedder-weights-missing"
    message = gettext_noop("The weights of the local embedder are not installed.")


class WeightsMismatch(EmbedderUnavailable):
    """The installed file is not the one whose vectors are stored: it is not even parsed."""

    code = "embedder-weights-mismatch"
    message = gettext_noop(
        "The weights of the local embedder are not the expected ones: "
        "their SHA-256 is {actual}, not {expected}."
    )
