"""Imports go one way, and nothing of ours hides what is Python's own."""

import platform as standard_platform
import sys
import sysconfig
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.sources import CHECKOUT, shown

pytestmark = pytest.mark.filterwarnings("default")  # the linter's own


def test_every_import_keeps_its_contract(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setattr(sys, "path", [str(CHECKOUT / "platform"), *sys.path])
    # The linter would silence every logger there is, for all the tests after this one.
    monkeypatch.setattr("logging.config.dictConfig", lambda settings: None)

    status = lint_imports(no_logo=True, no_cache=True)

    assert status == EXIT_STATUS_SUCCESS, (
        f"{capsys.readouterr().out}\nMove the code down a layer, or enqueue a Job; the contracts "
        "stand in pyproject.toml, [tool.importlinter]."
    )


def test_python_s_own_platform_is_the_one_that_is_imported() -> None:
    theirs = Path(sysconfig.get_path("stdlib"))

    assert Path(standard_platform.__file__).is_relative_to(theirs), (
        f"`import platform` gives {standard_platform.__file__}: something of ours hides it."
    )


def test_the_source_root_holds_packages_only() -> None:
    loose = [shown(path) for path in (CHECKOUT / "platform").glob("*.py")]

    assert loose == [], (
        f"platform/ is a source root, like src/: put {loose} in a package under it, and never an "
        "__init__.py directly in it, which would make it a package that hides Python's own."
    )


def test_no_package_of_ours_has_a_name_of_python_s() -> None:
    roots = [CHECKOUT, CHECKOUT / "platform"]
    packages = {path.parent.name for root in roots for path in root.glob("*/__init__.py")}

    clashes = sorted(packages & set(sys.stdlib_module_names))
    assert clashes == [], f"Rename {clashes}: Python has modules of these names."


def test_no_folder_of_tests_is_called_platform() -> None:
    folders = [shown(path) for path in (CHECKOUT / "tests").rglob("platform") if path.is_dir()]

    assert folders == [], (
        f"Rename {folders}: tests of platform/souvenir/x stand in tests/souvenir/x."
    )
