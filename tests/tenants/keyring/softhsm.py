"""A PKCS#11 token in software: SoftHSM, from Debian's packages."""

import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest

from tenants.keyring.providers.pkcs11_session import Token

_PLACES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((Path(place) for place in _PLACES if Path(place).exists()), None)
PIN = "the-pin-of-the-tests"


def new_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Token:
    """A token of its own for one test, which is the only one that the library then sees."""
    tool = shutil.which("softhsm2-util")
    if MODULE is None or tool is None:
        pytest.skip("SoftHSM is not installed (Debian: apt-get install softhsm2)")
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    subprocess.run(  # noqa: S603
        [tool, "--init-token", "--free", "--label", "tests", "--so-pin", PIN, "--pin", PIN],
        check=True,
        capture_output=True,
    )
    # Its library reads where the tokens are when it is started.
    pkcs11.lib(str(MODULE)).reinitialize()
    pin_file = folder / "pin"
    pin_file.write_text(PIN + "\n")
    return Token(module=MODULE, label="tests", pin_file=pin_file)
