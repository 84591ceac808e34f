#!/usr/bin/env python
"""Souvenir's command line: `python manage.py help`."""

import os
import sys
from pathlib import Path


def main() -> None:
    # platform/ is a source root; this lets manage.py run without PYTHONPATH being set.
    sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "souvenir.config.settings")

    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
