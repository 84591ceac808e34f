"""A signed link opens the one copy it was made for: no other, not changed, not later."""

import zipfile
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from souvenir.export.models import Export
from tenants.isolation.scope import tenant_scope
from tenants.services import resume_organization, suspend_organization
from tests.adversarial.asking import ask, operations
from tests.adversarial.case_table import CASES
from tests.adversarial.filled import Filled
from tests.adversarial.judging import Tally
from tests.adversarial.kinds import Kind

NAMES = ("acme", "globex", "initech")
SALT = "souvenir.export.link"


def _expires(filled: Filled) -> str:
    with tenant_scope(filled.id):
        export = Export.objects.get(id=UUID(filled.mine[Kind.EXPORT]))
    assert export.expires_at is not None
    return export.expires_at.isoformat()


def _links(acme: Filled, globex: Filled) -> dict[str, str]:
    """Links that open nothing, by what is wrong with them; some of them signed with our key."""
    good, other = acme.mine[Kind.LINK], globex.mine[Kind.LINK]
    facts, stamp, signature = good.split(":")
    until, past = _expires(acme), (timezone.now() - timedelta(seconds=1)).isoformat()
    own, theirs = str(acme.id), globex.mine[Kind.EXPORT]
    signed = {
        "another's copy": [own, theirs, until],
        "one's copy elsewhere": [str(globex.id), acme.mine[Kind.EXPORT], until],
        "expired": [own, acme.mine[Kind.EXPORT], past],
        "an erased copy": [own, acme.deleted[Kind.EXPORT], until],
    }
    return {
        "cut short": good[:-1],
        "another's facts": f"{other.split(':')[0]}:{stamp}:{signature}",
        "another's signature": f"{facts}:{stamp}:{other.split(':')[2]}",
        "another's time": f"{facts}:{other.split(':')[1]}0:{signature}",
        "unsigned": facts,
        "of another salt": signing.dumps([own, theirs, until], salt="souvenir.job"),
        "of another key": signing.dumps([own, theirs, until], key="another", salt=SALT),
        **{what: signing.dumps(said, salt=SALT, compress=True) for what, said in signed.items()},
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_link_that_is_wrong_answers_like_one_that_never_was(
    three: dict[str, Filled], tally: Tally, name: str
) -> None:
    acme, globex = three[name], three[NAMES[NAMES.index(name) - 1]]
    operation = operations()["downloadExport"]
    slot = CASES["downloadExport"].slots[0]
    nothing = ask(operation, authorization="", ids={slot: "nothing"})

    answers = {
        (what, whose): ask(operation, authorization=whose, ids={slot: link})
        for what, link in _links(acme, globex).items()
        for whose in ("", *(f"Bearer {key}" for key in acme.keys.values()))
    }

    tally.requests += len(answers)
    different = [what for (what, _), answer in answers.items() if answer != nothing]
    tally.leaks += len(different)
    assert nothing.status == 404
    assert different == []


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_holds_nothing_of_a_stranger_s_and_a_person_s_nothing_of_another_s(
    three: dict[str, Filled], name: str
) -> None:
    me = three[name]
    strangers = [three[other].secret for other in NAMES if other != name]

    texts = {kind: _unpacked(ids[Kind.LINK]) for kind, ids in (("a", me.mine), ("o", me.siblings))}

    assert me.secret in texts["a"]
    assert me.shared_secret in texts["o"]
    assert me.shared_secret not in texts["a"]
    assert [word for word in strangers if word in texts["a"] + texts["o"]] == []


def test_the_link_alone_opens_the_copy_whatever_key_comes_along(three: dict[str, Filled]) -> None:
    operation, slot = operations()["downloadExport"], CASES["downloadExport"].slots[0]
    keys = [f"Bearer {key}" for key in three["globex"].keys.values()]

    answers = [
        ask(operation, authorization=key, ids={slot: three["acme"].mine[Kind.LINK]})
        for key in ("", "Bearer nonsense", *keys)
    ]

    assert {answer.status for answer in answers} == {200}


def test_a_suspended_organization_s_links_open_nothing(three: dict[str, Filled]) -> None:
    acme = three["acme"]
    operation, slot = operations()["downloadExport"], CASES["downloadExport"].slots[0]
    nothing = ask(operation, authorization="", ids={slot: "nothing"})

    suspend_organization(organization_id=acme.id)
    closed = ask(operation, authorization="", ids={slot: acme.mine[Kind.LINK]})
    resume_organization(organization_id=acme.id)

    assert closed == nothing


def _unpacked(link: str) -> str:
    response = Client().get(f"/api/v1/downloads/{link}")
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a FileResponse
    response.close()
    with zipfile.ZipFile(BytesIO(body)) as archive:
        return "".join(
            name + archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )
