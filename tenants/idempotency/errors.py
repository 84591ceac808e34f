"""What can go wrong with a request that is sent again."""

from souvenir.core.errors import Conflict, Invalid, gettext_noop


class IdempotencyKeyInvalid(Invalid):
    code = "idempotency-key-invalid"
    message = gettext_noop("An Idempotency-Key is 1 to {most} printable ASCII characters.")


class IdempotencyKeyReused(Invalid):
    """The key came with another path or another body before."""

    code = "idempotency-key-reused"
    message = gettext_noop(
        "This Idempotency-Key came with another request before. Nothing was done; send a new key "
        "with a new request."
    )


class RequestInFlight(Conflict):
    code = "request-in-flight"
    message = gettext_noop(
        "The same request is being carried out right now. Send it again in a moment to get its "
        "answer."
    )
    retry_after_seconds = 1


class AnswerErased(Conflict):
    """Done once, and what it said has since been erased: it is neither done nor told again."""

    code = "answer-erased"
    message = gettext_noop(
        "This request was carried out, and its answer has since been erased. Nothing was done "
        "again."
    )
