"""A finished copy, to whoever is signed in and may have it."""

from django.http import FileResponse

from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export


def download(export: Export) -> FileResponse:
    """The zip itself; errors of `open_download` where it has expired."""
    _, path = open_download(sign_download(export))
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"souvenir-{export.recorded_at:%Y-%m-%d}.zip",
        content_type="application/zip",
    )
