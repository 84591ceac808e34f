"""What can go wrong while Souvenir starts on one machine."""

from souvenir.core.errors import Conflict, Invalid, Unavailable, gettext_noop


class NoServerAccount(Unavailable):
    """Only when Souvenir runs as root."""

    code = "no-server-account"
    message = gettext_noop(
        "PostgreSQL does not run as root, and this machine has no account {account} to run it as. "
        "Run Souvenir as an ordinary user."
    )


class AccountChangeRefused(Unavailable):
    """Root without the right to become somebody else, as in some containers."""

    code = "account-change-refused"
    message = gettext_noop(
        "PostgreSQL does not run as root, and this machine does not let root run it as {account}. "
        "Run Souvenir as an ordinary user."
    )


class DataOutOfReach(Unavailable):
    """The data was made here, and then a folder above it was closed."""

    code = "data-out-of-reach"
    message = gettext_noop(
        "The database is in {folder}, which the account {account} can no longer reach. "
        "Let it pass through the folders above, or run Souvenir as an ordinary user."
    )


class FolderNotPrivate(Unavailable):
    """Somebody else made, or can write to, a folder that must be ours alone."""

    code = "folder-not-private"
    message = gettext_noop(
        "The folder {folder} must belong to {account} and be closed to everybody else, "
        "and it is not. Look at who made it, then move it away and start again."
    )


class DataOfAnotherVersion(Conflict):
    """A major version of PostgreSQL does not read the data of another."""

    code = "data-of-another-version"
    message = gettext_noop(
        "The data in {folder} was written by PostgreSQL {found}, and this Souvenir brings "
        "PostgreSQL {expected}. Start the Souvenir that wrote it, take everything home, and "
        "import that here."
    )


class DataFolderHeld(Conflict):
    """PostgreSQL believes that another server works on the same files."""

    code = "data-folder-held"
    message = gettext_noop(
        "PostgreSQL did not start: process {pid} seems to hold {folder} already. "
        "If that process is not a PostgreSQL server, delete {file} and start again."
    )


class PasswordsDoNotFit(Conflict):
    """The database was made with other secrets than those at hand."""

    code = "passwords-do-not-fit"
    message = gettext_noop(
        "The database in {folder} does not take the password of {secrets}. Put back the "
        "secrets.json that the database was made with."
    )


class DatabaseDidNotStart(Unavailable):
    """Any other reason; PostgreSQL's own words say which."""

    code = "database-did-not-start"
    message = gettext_noop("PostgreSQL did not start. Its last words:\n{words}")


class SecretsLost(Conflict):
    """New secrets would open nothing: passwords and sealed texts would both be lost."""

    code = "secrets-lost"
    message = gettext_noop(
        "There is a database in {home}, and its secrets.json is gone: without it nothing there "
        "can be read. Put it back from a backup, or move {home} away to begin anew."
    )


class HomeNotYours(Unavailable):
    """The files of a home belong to whoever ran Souvenir there first."""

    code = "home-not-yours"
    message = gettext_noop(
        "This account may not use {file}. Run Souvenir as the account that made it, or set "
        "SOUVENIR_HOME to another folder."
    )


class NoFreePort(Unavailable):
    """A hundred ports in a row are taken."""

    code = "no-free-port"
    message = gettext_noop(
        "Port {port} cannot be used, nor any after it. Set SOUVENIR_PORT to a free one."
    )


class BadPort(Invalid):
    """The environment asks for a port that there cannot be."""

    code = "bad-port"
    message = gettext_noop("SOUVENIR_PORT must be a number from 1 to 65535, not {port}.")


class StepFailed(Unavailable):
    """One of the steps between the database and the web."""

    code = "start-step-failed"
    message = gettext_noop("The step {step} did not work. The end of {log}:\n{words}")


class KeepsStopping(Unavailable):
    """A process that was started again and again, in vain."""

    code = "process-keeps-stopping"
    message = gettext_noop(
        "The {name} process stopped {times} times in a row. The end of {log}:\n{words}"
    )


class NotReady(Unavailable):
    """The web process runs, and does not say that it can serve."""

    code = "web-not-ready"
    message = gettext_noop(
        "The web process was not ready after {seconds} seconds. It said: {answer}\n"
        "The end of {log}:\n{words}"
    )


class NotRunning(Unavailable):
    """What was asked for needs a Souvenir that serves."""

    code = "not-running"
    message = gettext_noop(
        "Souvenir does not run, or not yet. Start it with `make run`, and ask again from "
        "another terminal."
    )
