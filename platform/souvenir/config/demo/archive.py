"""Finds the demo archive, and packs each provider's files as that provider sends them."""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
# The last day of the archive's year; fixed, so that packing twice gives the same bytes.
_EXPORTED_ON = (2026, 10, 31, 12, 0, 0)
_FILE_NAMES = {
    "chatgpt": "joelle-2026-10-31-chatgpt.zip",
    "claude": "data-2026-10-31-12-00-00-batch-0000.zip",
    "lechat": "chat-export-1793448000000.zip",
}


@dataclass(frozen=True, slots=True)
class DemoExport:
    """One upload of the demonstration."""

    provider: str
    file_name: str  # of the zip
    path: Path  # the folder with its files, unpacked

    def packed(self) -> bytes:
        """The zip to upload: the same bytes every time."""
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(self.path.glob("*.json")):
                entry = zipfile.ZipInfo(file.name, _EXPORTED_ON)
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def demo_exports() -> list[DemoExport]:
    """The uploads of the demonstration, one per provider, in alphabetical order."""
    return [
        DemoExport(provider=provider, file_name=name, path=_FOLDER / provider)
        for provider, name in sorted(_FILE_NAMES.items())
    ]
