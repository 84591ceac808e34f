"""`manage.py embedding_model …`: change the model of the whole cell while people search."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from souvenir.core.errors import SouvenirError
from souvenir.core.jobs import Job
from souvenir.embedding.changing import (
    ask_every_store,
    clear_retired_models,
    compare_models,
    start_model,
    stop_model,
    switch_model,
)
from souvenir.embedding.models import EmbeddingModel
from tenants.commands import ServingCommand


class Command(ServingCommand):
    help = "List, start, compare, switch to, stop or clear the models that make vectors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every model, and what it is to search")
        start = actions.add_parser("start", help="fill a model beside the one that serves")
        start.add_argument("name", help="the embedder's model_id")
        compare = actions.add_parser("compare", help="how alike the two answer")
        compare.add_argument("--questions", type=int, default=20, help="per organization")
        actions.add_parser("fill", help="ask again for vectors that are missing")
        actions.add_parser("stop", help="fill it no further: search goes on asking the old one")
        actions.add_parser("switch", help="let search ask the model that was filled")
        actions.add_parser("clear", help="remove the vectors of retired models")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(options)
        except SouvenirError as error:
            raise CommandError(str(error)) from error

    def _list(self, _options: dict[str, Any]) -> None:
        for model in EmbeddingModel.objects.order_by("number"):
            line = f"{model.number:>3}  {model.state:<8}  {model.since:%Y-%m-%d}  {model.name}"
            self.stdout.write(line)

    def _start(self, options: dict[str, Any]) -> None:
        model = start_model(name=options["name"])
        self.stdout.write(_("The model “%(model)s” is being filled.") % {"model": model.name})

    def _fill(self, _options: dict[str, Any]) -> None:
        jobs = ask_every_store(kind=Job.FILL_MODEL)
        self.stdout.write(_("%(jobs)d jobs look for what is missing.") % {"jobs": jobs})

    def _compare(self, options: dict[str, Any]) -> None:
        found = compare_models(per_organization=options["questions"])
        self.stdout.write(
            _(
                "Of %(asked)d questions both models share %(mean)d%% of the first ten passages; "
                "nine in ten share at least %(tenth)d%%."
            )
            % {
                "asked": found.asked,
                "mean": round(100 * found.mean),
                "tenth": round(100 * found.tenth),
            }
        )

    def _stop(self, _options: dict[str, Any]) -> None:
        model = stop_model()
        self.stdout.write(_("The model “%(model)s” is filled no further.") % {"model": model.name})

    def _switch(self, _options: dict[str, Any]) -> None:
        model = switch_model()
        self.stdout.write(_("Search asks the model “%(model)s” now.") % {"model": model.name})

    def _clear(self, _options: dict[str, Any]) -> None:
        jobs = clear_retired_models()
        self.stdout.write(_("%(jobs)d jobs remove what retired models left.") % {"jobs": jobs})
