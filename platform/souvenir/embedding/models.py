"""The vector spaces that the vectors of passages are in."""

from django.db import models
from django.utils import timezone

DIMENSIONS = 384  # of the local embedder


class EmbeddingModel(models.Model):
    """A model that makes vectors, for the whole cell. Its number stands beside each of them.

    Vectors compare only inside one model, so a new one is filled beside the old before search
    asks it. A number is never given twice.
    """

    class State(models.TextChoices):
        FILLING = "filling"  # passages get its vectors; search does not ask it yet
        SERVING = "serving"  # search asks it; new passages get its vectors at once
        RETIRED = "retired"  # its vectors go

    number = models.SmallIntegerField(primary_key=True)
    name = models.CharField(max_length=63, unique=True)  # Embedder.model_id
    dimensions = models.IntegerField()
    state = models.CharField(max_length=16, choices=State.choices)
    since = models.DateTimeField(default=timezone.now)  # in this state

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=~models.Q(state="retired"),
                name="one_model_serves_one_fills",
            ),
        ]

    def __str__(self) -> str:
        return self.name
