"""What can go wrong when a text is to become a vector."""

from souvenir.core.errors import Conflict, Unavailable, gettext_noop


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


class EmbedderUnknown(EmbedderUnavailable):
    """This process is older or newer than the model that search asks."""

    code = "embedder-unknown"
    message = gettext_noop("There is no embedder for the model “{model}” here.")


class VectorsDoNotFit(EmbedderUnavailable):
    """The embedder is not the one that it says it is."""

    code = "vectors-do-not-fit"
    message = gettext_noop("The vectors of “{model}” should have {dimensions} numbers each.")


class StoreMoving(Conflict):
    """A store that changes its bucket cannot be sent the other way until it is there."""

    code = "store-moving"
    message = gettext_noop("The search index of store {store_id} is being moved. Wait for it.")


class PersonalStoreStays(Conflict):
    """A person's memory is always searched exactly."""

    code = "personal-store-stays"
    message = gettext_noop("Store {store_id} is a person’s own: its search index is not moved.")


class ModelBusy(Conflict):
    code = "model-busy"
    message = gettext_noop("The model “{model}” serves already, or is being filled.")


class NoModelFills(Conflict):
    code = "no-model-fills"
    message = gettext_noop("No model is being filled. Start one first.")


class ModelIncomplete(Conflict):
    """A switch would make passages disappear from answers."""

    code = "model-incomplete"
    message = gettext_noop("{missing} passages have no vector of the model “{model}” yet.")
