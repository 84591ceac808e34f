"""What can go wrong with an erasure."""

from souvenir.core.errors import Invalid, NotFound, gettext_noop


class ErasureNotFound(NotFound):
    code = "erasure-not-found"
    message = gettext_noop("There is no erasure {erasure_id}.")


class ErasureTargetNotFound(NotFound):
    code = "erasure-target-not-found"
    message = gettext_noop("There is no {target} {target_id}.")


class ErasureTargetNeeded(Invalid):
    code = "erasure-target-needed"
    message = gettext_noop("Say which {target} to erase.")
