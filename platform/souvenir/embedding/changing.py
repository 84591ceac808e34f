"""Change the model of the whole cell while people search: start, compare, switch or stop, clear.

The operator's steps, in this order (docs/runbooks/search.md). Each loops over organizations
and opens their scopes; call them outside of any.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from souvenir.core.jobs import Job
from souvenir.embedding.comparing import Overlap, overlaps
from souvenir.embedding.counts import search_counts
from souvenir.embedding.errors import ModelBusy, ModelIncomplete, NoModelFills
from souvenir.embedding.large_stores import ask_to_place
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.registry import embedder_of
from souvenir.embedding.selectors import filling_model, serving_model
from souvenir.memories.models import Store
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.selectors import organizations

State = EmbeddingModel.State


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike two models answer: `asked` passages as questions, what both find among ten.

    `mean` and `tenth` (nine in ten questions share at least that) are between 0 and 1.
    """

    asked: int
    mean: float
    tenth: float


def start_model(*, name: str) -> EmbeddingModel:
    """Let a model be filled beside the one that serves. A retired one comes back.

    Starting what is being filled asks for what is missing again.

    Raises:
        EmbedderUnknown
        ModelBusy: it serves already, or another is being filled.
    """
    dimensions = embedder_of(name).dimensions
    with transaction.atomic():
        others = EmbeddingModel.objects.select_for_update().exclude(state=State.RETIRED)
        busy = [other for other in others if other.state == State.FILLING or other.name == name]
        if [other for other in busy if (other.name, other.state) != (name, State.FILLING)]:
            raise ModelBusy(model=busy[0].name)
        last = EmbeddingModel.objects.aggregate(last=Max("number"))["last"]
        model, _ = EmbeddingModel.objects.get_or_create(
            name=name,
            defaults={"number": last + 1, "dimensions": dimensions, "state": State.FILLING},
        )
        if model.state == State.RETIRED:
            _change(model, State.FILLING)
    ask_every_store(kind=Job.FILL_MODEL)
    return model


def compare_models(*, per_organization: int = 20) -> Comparison:
    """Ask both models the same and compare: some passages of each organization, as questions.

    Raises:
        NoModelFills
        EmbedderUnavailable
    """
    old, new = serving_model(), _filling()
    found: list[Overlap] = []
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            found += overlaps(old, new, most=per_organization)
    shares = sorted(overlap.share for overlap in found)
    if not shares:
        return Comparison(0, 1.0, 1.0)
    return Comparison(len(shares), sum(shares) / len(shares), shares[len(shares) // 10])


def stop_model() -> EmbeddingModel:
    """Fill the model that is filled no further: search never asked it. Started again, it goes on.

    Raises:
        NoModelFills
    """
    model = _filling()
    _change(model, State.RETIRED)
    return model


def switch_model() -> EmbeddingModel:
    """Let search ask the model that was filled. The one before is kept, to go back to.

    Raises:
        NoModelFills
        ModelIncomplete: passages have no vector of it yet.
    """
    new = _filling()
    missing = 0
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            missing += max(0, search_counts().missing_vectors(new.name))
    if missing:
        raise ModelIncomplete(model=new.name, missing=missing)
    with transaction.atomic():
        _change(serving_model(), State.RETIRED)
        _change(new, State.SERVING)
    # What was embedded while we counted.
    ask_every_store(kind=Job.FILL_MODEL)
    # How far the new graphs are believed: until that is measured, every vector is compared.
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            ask_to_place()
    return new


def clear_retired_models() -> int:
    """Ask for the vectors of retired models to go. Gives the number of jobs."""
    return ask_every_store(kind=Job.CLEAR_MODEL)


def ask_every_store(*, kind: Job) -> int:
    """Accept a job for each store of each organization. Gives how many."""
    asked = 0
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            for store_id, person_id in Store.objects.values_list("id", "person_id"):
                accept_job(kind, subject_id=store_id, person_id=person_id, unit="passages")
                asked += 1
    return asked


def _filling() -> EmbeddingModel:
    model = filling_model()
    if model is None:
        raise NoModelFills
    return model


def _change(model: EmbeddingModel, state: EmbeddingModel.State) -> None:
    model.state, model.since = state, timezone.now()
    model.save(update_fields=["state", "since"])
