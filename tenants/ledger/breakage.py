"""Errors that nobody foresaw: which they are, and what may be said of them."""

import struct
import traceback
import zipfile
import zlib

from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist, ValidationError
from django.db import DataError, IntegrityError, InternalError, NotSupportedError, ProgrammingError

# What our code does wrong over something it did not expect. Not the database or the disk failing
# us: those are the same for everything, and pass.
BREAKS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DataError,
    EOFError,
    IntegrityError,
    InternalError,
    LookupError,
    MemoryError,
    MultipleObjectsReturned,
    NotSupportedError,
    ObjectDoesNotExist,
    ProgrammingError,
    RuntimeError,
    TypeError,
    ValidationError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def where_it_broke(error: BaseException) -> str:
    """The error's class and its place in the code. Its text may quote content: it is never told."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
