"""Killed between recording, placing and signing; and looked after by several schedulers at once."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

from django.core.management import call_command
from django.db import connections

from souvenir.audit.models import Checkpoint, Node, Waiting
from souvenir.audit.selectors import numbers_of, tree_size
from souvenir.audit.services import make_checkpoints, record
from tenants.isolation.scope import tenant_scope
from tenants.models import Schedule
from tests.builders import Tenant
from tests.souvenir.audit.test_recording import event
from workers.sweeping import do_what_is_due, make_schedules_known

# Places what waits, and dies where the checkpoint would be written: with no handler, no commit.
_DIES = textwrap.dedent("""
    import os, signal
    import django
    django.setup()
    from souvenir.audit import services
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    services.sign_head = die
    services.make_checkpoints()
""")


def test_killed_between_placing_and_signing_nothing_was_done(acme: Tenant) -> None:
    make_checkpoints()
    with tenant_scope(acme.id):
        record(told := event(acme))
    size, nodes = tree_size(), Node.objects.count()

    died = subprocess.run([sys.executable, "-c", _DIES], env=os.environ, check=False)  # noqa: S603

    assert died.returncode == -signal.SIGKILL
    assert (tree_size(), Node.objects.count()) == (size, nodes)
    assert Waiting.objects.filter(entry_id=told.id).exists()
    make_checkpoints()
    assert numbers_of([told.id]) == {told.id: size}
    call_command("verify_audit")


def test_several_schedulers_at_once_make_one_checkpoint(acme: Tenant) -> None:
    make_checkpoints()
    make_schedules_known()
    with tenant_scope(acme.id):
        record(told := event(acme))
    size, checkpoints = tree_size(), Checkpoint.objects.count()
    due = Schedule.objects.get(name="checkpoint-audit")
    Schedule.objects.filter(name="checkpoint-audit").update(next_at=due.next_at.replace(year=2020))

    def look(_: int) -> dict[str, int]:
        done = do_what_is_due()
        connections.close_all()
        return done

    with ThreadPoolExecutor(4) as pool:
        looks = list(pool.map(look, range(4)))

    assert sum("checkpoint-audit" in look for look in looks) == 1
    assert Checkpoint.objects.count() == checkpoints + 1
    assert numbers_of([told.id]) == {told.id: size}


def test_with_nothing_new_there_is_no_new_checkpoint() -> None:
    make_checkpoints()
    before = Checkpoint.objects.count()

    assert make_checkpoints() == 0
    assert Checkpoint.objects.count() == before
