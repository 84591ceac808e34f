"""From an upload to the items of its job, a stretch of reading at a time."""

import json

from souvenir.ingestion.looking import Looking, TurnClock
from souvenir.ingestion.merging import short_id
from souvenir.ingestion.models import Import
from souvenir.ingestion.services import REPORTS, UNITS
from souvenir.ingestion.units import list_assets, take_apart
from souvenir.memories.models import Store
from souvenir.memories.services import ensure_source
from souvenir.portability.stored_file import StoredFile
from tenants import objects
from tenants.isolation.scope import tenant_named
from tenants.ledger import Lease
from tenants.ledger.items import Part, plan_items

_LARGE_BYTES = 500_000_000  # below, finding the place takes seconds


def read_on_and_plan(lease: Lease, record: Import, store: Store, upload: StoredFile) -> bool:
    """Look at the upload, then take it apart, for a turn. Until all is read, nothing is kept.

    True: all of it is planned. False: the turn was given back.

    Raises:
        Invalid: the upload cannot be used.
        LeaseLost
    """
    if record.size_bytes > _LARGE_BYTES:
        lease.cannot_be_cut(because="a packed file is unpacked up to where the reading goes on")
    draft = f"{record.id}-{record.stretches}-{lease.fence}"
    clock = TurnClock(lease)
    with lease.step():
        subjects = record.sealed_for()  # asks the database, unless this process knows it already
    with (
        tenant_named(lease.organization_id),  # no transaction is open meanwhile
        objects.writing(UNITS, draft, sealed_for=subjects) as stream,
    ):
        looking = _gone_on_with(record)
        name, parts = record.file_name, list[Part]()
        if looking.inspection or looking.look(upload, name=name, clock=clock):
            read = looking.objects(upload, name=name, clock=clock)
            parts = list(take_apart(read, stream, stretch=record.stretches))
            parts += list_assets(looking.assets, stream, stretch=record.stretches)
    with lease.step():
        looking.items += plan_items(lease, parts, start=looking.items)
        objects.rename(UNITS, draft, to=f"{record.id}-{record.stretches}")
        if looking.is_done:
            _end(lease, record, store, looking)
        else:
            _leave_off(lease, record, looking)
    return looking.is_done


def _gone_on_with(record: Import) -> Looking:
    if not record.stretches:
        return Looking()
    with objects.stored(UNITS, _state_name(record)).open() as stream:
        return Looking.from_bytes(stream.read())


def _state_name(record: Import) -> str:
    return f"{record.id}-read-{record.stretches}"


def _leave_off(lease: Lease, record: Import, looking: Looking) -> None:
    """Write down how far it went. Should the transaction fail, the one before is still there."""
    objects.remove(UNITS, f"{record.id}-read-{record.stretches - 1}")
    record.stretches += 1
    objects.store(UNITS, _state_name(record), [looking.to_bytes()], sealed_for=record.sealed_for())
    record.save(update_fields=["stretches"])
    lease.give_turn_back()


def _end(lease: Lease, record: Import, store: Store, looking: Looking) -> None:
    inspection, fidelity = looking.inspection, looking.fidelity
    if inspection is None or fidelity is None:
        msg = "An upload is taken apart once it was looked at."
        raise RuntimeError(msg)
    record.source_id = ensure_source(
        store=store,
        provider=inspection.provider,
        account=short_id(inspection.account, longest=200),
    ).id
    record.layout = inspection.layout
    record.save(update_fields=["source", "layout"])
    report = json.dumps(fidelity.as_json()).encode()
    objects.store(REPORTS, str(record.id), [report], sealed_for=record.sealed_for())
    lease.expect(inspection.objects + inspection.assets)
