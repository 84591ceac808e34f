"""What is kept of a request so that sending it again does nothing and answers alike."""

from django.db import models
from django.utils import timezone

from tenants.isolation.tables import TenantScoped


class Replay(TenantScoped):
    """One request that was carried out, and its answer. Never changed, but for losing the answer.

    Everything here is keyed with the secret of whoever sent the request, of which the database
    holds a digest only: without that key no row tells what was asked, answered, or even named.
    """

    digest = models.BinaryField()  # HMAC-SHA256 of method, route and Idempotency-Key; 32 bytes
    fingerprint = models.BinaryField()  # HMAC-SHA256 of path, query and body; 32 bytes
    answer = models.BinaryField(null=True)  # sealed; None: it went with whom it was about
    person_id = models.UUIDField(null=True)  # whom the answer is about; None: nobody knows
    holds_content = models.BooleanField(default=True)  # False: ids, times and counts only
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "digest"], name="carried_out_once"),
        ]
        indexes = [models.Index(fields=["tenant_id", "recorded_at"], name="replay_oldest")]

    def __str__(self) -> str:
        return str(self.id)
