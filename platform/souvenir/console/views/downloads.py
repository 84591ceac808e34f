"""A finished copy, to whoever is signed in and may have it."""

from django.http import FileResponse

from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export


def download(export: Export) -> FileResponse:
    """The zip itself.

    Raises:
        ExportNotReady, LinkInvalid: it is not written yet, or has expired.
    """
    found = open_download(sign_download(export))
    return FileResponse(
        found.stream,
        as_attachment=True,
        filename=found.file_name,
        content_type="application/zip",
        headers={"Content-Length": str(found.size_bytes)},
    )
