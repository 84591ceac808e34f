"""Uploads too large for memory wait on the disk sealed, under a key that only this process has."""

from typing import BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from souvenir.core.scratch import Scratch


class SealedUploadHandler(FileUploadHandler):
    """Takes Django's `TemporaryFileUploadHandler`'s place."""

    def new_file(self, *args: object, **kwargs: object) -> None:
        super().new_file(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        self._scratch = Scratch()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        del start
        self._scratch.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        stream: BinaryIO = self._scratch.reader()
        return UploadedFile(
            file=stream,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        """What came so far is given up."""
        if hasattr(self, "_scratch"):
            self._scratch.close()
