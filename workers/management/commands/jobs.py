"""`manage.py jobs`: what waits, for whom, for what; and what needs a person. No content is read."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext

from souvenir.core.errors import SouvenirError
from tenants.commands import ServingCommand
from tenants.errors import OrganizationNotFound
from tenants.isolation.scope import tenant_scope
from tenants.ledger.allowances import set_allowance
from tenants.ledger.overview import Share, breakers, dead_letters, queue_depths, shares
from tenants.ledger.services import replay
from tenants.models import Organization, Ring
from tenants.scheduling import schedules


class Command(ServingCommand):
    help = "What waits in each queue, whose it is, and what is dead; replay it, or set shares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--replay", metavar="JOB", help="try a dead letter again; `all`: each")
        parser.add_argument("--organization", metavar="ID", help="with the settings that follow")
        parser.add_argument("--weight", type=int, help="its turns against those of others")
        parser.add_argument("--at-once", type=int, help="jobs it may have in hand, in one queue")
        parser.add_argument("--waiting", type=int, help="jobs it may have unfinished")
        parser.add_argument("--bytes-per-day", type=int, help="what it may upload in a day")

    def handle(self, *, replay: str | None, organization: str | None, **options: object) -> None:
        if replay:
            self._replay(replay)
        elif organization:
            self._allow(UUID(organization), options)
        else:
            self._show()

    def _show(self) -> None:
        self._table(
            ("queue", "waiting", "rung", "running", "dead", "oldest"),
            [
                (one.queue, one.waiting, one.rung, one.running, one.dead, _age(one.oldest))
                for one in queue_depths()
            ],
        )
        heads = ("organization", "queue", "waiting", "in hand", "share", "weight", "at once")
        self._table(heads, [_told(share) for share in shares()])
        self._table(
            ("waits for", "error", "failures", "tries again in"),
            [(one.kind, one.code, one.failures, _age(one.open_until)) for one in breakers()],
        )
        self._table(
            ("dead letter", "kind", "organization", "why", "since"),
            [
                (one.job_id, one.kind, one.organization_id, one.reason, _age(one.due_at))
                for one in dead_letters()
            ],
        )
        self._table(
            ("upkeep", "runs", "last", "next", "error"),
            [
                (one.name, one.runs, _age(one.finished_at), _age(one.next_at), one.error)
                for one in schedules()
            ],
        )

    def _replay(self, which: str) -> None:
        found = dead_letters()
        if which != "all":
            found = [ring for ring in found if str(ring.job_id) == which]
            if not found:
                raise CommandError(gettext("There is no dead letter {job}.").format(job=which))
        for ring in found:
            self._replay_one(ring)

    def _replay_one(self, ring: Ring) -> None:
        try:
            with tenant_scope(ring.organization_id):
                replay(job_id=ring.job_id)
        except SouvenirError as error:
            self.stderr.write(f"{ring.job_id}  {error.code}")
        else:
            self.stdout.write(str(ring.job_id))

    def _allow(self, organization_id: UUID, options: dict[str, object]) -> None:
        if not Organization.objects.filter(id=organization_id).exists():
            raise CommandError(
                gettext(OrganizationNotFound.message).format(organization=organization_id)
            )
        names = {
            "weight": "weight",
            "at_once": "jobs_at_once",
            "waiting": "jobs_waiting",
            "bytes_per_day": "bytes_per_day",
        }
        changes = {
            field: options[option] for option, field in names.items() if options[option] is not None
        }
        set_allowance(organization_id, **changes)

    def _table(self, heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
        lines = [heads, *(tuple(map(str, row)) for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
        for line in lines:
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write("")


def _told(share: Share) -> tuple[object, ...]:
    part = f"{share.part:.0%}"
    held = (share.waiting, share.in_hand, part)
    return (share.organization_id, share.queue, *held, share.weight, share.at_once)


def _age(moment: datetime | None) -> str:
    """How long ago, or how long until."""
    if moment is None:
        return "-"
    return str(timedelta(seconds=abs(int((timezone.now() - moment).total_seconds()))))
