"""`manage.py verify_audit`: is the audit log still what it was? Names the entries that are not."""

from argparse import ArgumentParser
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from souvenir.audit.errors import AuditKeyMissing
from souvenir.audit.models import Checkpoint
from souvenir.audit.notes import NoteWrong, TreeHead, is_signed_by, read_head, verifier_key
from souvenir.audit.signing import origin, signing_key
from souvenir.audit.verifying import Fault, Finding, examine, heads_signed
from tenants.commands import ServingCommand
from tenants.whole_log import whole_log

_WORDS = {
    Fault.ALTERED: gettext_noop("Entry {first} is not what it was when it was recorded."),
    Fault.DELETED: gettext_noop("Entry {first} is gone."),
    Fault.REORDERED: gettext_noop("Entry {first} is not the one that had this place."),
    Fault.TRUNCATED: gettext_noop("The end of the log is gone: entries {first} to {last}."),
    Fault.REBUILT: gettext_noop("Entries {first} to {last} are not those that were signed for."),
    Fault.FORKED: gettext_noop(
        "Entries {first} to {last} are not those of a checkpoint that was kept."
    ),
    Fault.UNPLACED: gettext_noop("Entry {entry_id} has no number, and none is owed to it."),
    Fault.UNSIGNED: gettext_noop(
        "The checkpoint over {first} entries is not signed by the key of the log."
    ),
}


class Command(ServingCommand):
    help = "Hold the whole audit log against its tree and its checkpoints; 1 for any fault."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--saved",
            type=Path,
            action="append",
            default=[],
            help="the file of a checkpoint that was kept elsewhere; may be given several times",
        )
        parser.add_argument(
            "--verifier-key",
            action="append",
            default=[],
            help="the public key of the log, as <name>+<id>+<base64>; if not given, that of the "
            "key file",
        )
        parser.add_argument(
            "--language",
            default=settings.LANGUAGE_CODE,
            choices=[code for code, _name in settings.LANGUAGES],
            help="what to speak",
        )

    def handle(
        self, *, saved: list[Path], verifier_key: list[str], language: str, **_options: object
    ) -> None:
        with translation.override(language):
            keys = verifier_key or [_own_key()]
            kept = [_read(path, keys) for path in saved]
            notes = dict(Checkpoint.objects.values_list("size", "note"))
            heads, unsigned = heads_signed(notes, keys)
            log = whole_log()
            findings = [*unsigned, *examine(log, heads, saved=kept)]
            for finding in findings:
                self.stdout.write(_sentence(finding))
            if findings:
                raise CommandError(_count(len(findings)))
            self.stdout.write(
                ngettext(
                    "The log is whole: %(count)d entry, as it was signed for.",
                    "The log is whole: %(count)d entries, as they were signed for.",
                    log.size,
                )
                % {"count": log.size}
            )


def _own_key() -> str:
    try:
        return verifier_key(origin(), signing_key().public_key())
    except AuditKeyMissing as error:
        raise CommandError(_(AuditKeyMissing.message)) from error


def _read(path: Path, keys: list[str]) -> TreeHead:
    try:
        note = path.read_text(encoding="utf-8")
        head = read_head(note)
        is_signed = any(is_signed_by(note, key) for key in keys)
    except (OSError, NoteWrong) as error:
        raise CommandError(_("{path} holds no checkpoint.").format(path=path)) from error
    if not is_signed:
        raise CommandError(
            _("The checkpoint in {path} is not signed by the key of the log.").format(path=path)
        )
    return head


def _sentence(finding: Finding) -> str:
    entry_id: UUID | None = finding.entry_id
    words = _(_WORDS[finding.fault])
    return words.format(first=finding.first, last=finding.last, entry_id=entry_id)


def _count(number: int) -> str:
    words = ngettext(
        "The audit log has %(count)d fault.", "The audit log has %(count)d faults.", number
    )
    return words % {"count": number}
