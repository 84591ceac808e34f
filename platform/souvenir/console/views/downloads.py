"""A finished copy, to whoever is signed in and may have it."""

from souvenir.core.transfers import HeldFile
from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export


def download(export: Export) -> HeldFile:
    """The zip itself.

    Raises:
        ExportNotReady, LinkInvalid: it is not written yet, or has expired.
        TransfersBusy, TooManyTransfers
    """
    found = open_download(sign_download(export))
    return HeldFile(
        found.stream,
        owner=found.organization_id,
        as_attachment=True,
        filename=found.file_name,
        content_type="application/zip",
        headers={"Content-Length": str(found.size_bytes)},
    )
