"""Signatures after Standard Webhooks (standardwebhooks.com): receivers verify with any library."""

import base64
import secrets
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from tenants.webhooks.models import Delivery, Endpoint

_SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret, as both sides keep it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(
    endpoint: Endpoint, delivery: Delivery, body: bytes, *, now: datetime
) -> dict[str, str]:
    """The three headers. While a secret is being changed, both sign: either one verifies."""
    message_id = str(delivery.event_id)  # the same at each attempt, so that receivers know it again
    keys = [endpoint.secret]
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        keys.append(endpoint.previous_secret)
    moment = now.astimezone(UTC)
    signatures = [Webhook(key).sign(message_id, moment, body.decode()) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
