"""The settings that an operator sets, typed, read from the environment as `SOUVENIR_…`.

docs/settings.md is generated from this file (`python manage.py write_settings_page`).
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[3]
REGISTRY = Path(__file__).resolve().parent / "placements.json"

# Enough to import the settings for checks that never connect (types, migrations, translations).
UNSET_DATABASE = "postgresql://souvenir_app@/souvenir"
_SECRET_CHARACTERS = 50  # the shortest that production takes
UNSET_KEY = "not-a-secret-only-for-commands-that-never-serve"


class Environment(BaseSettings):
    """One field, one variable. Descriptions are for operators."""

    model_config = SettingsConfigDict(env_prefix="SOUVENIR_", extra="ignore", frozen=True)

    profile: Literal["embedded", "production", "test"] = Field(
        "embedded",
        description="`embedded` serves one laptop; `production` refuses a configuration that is "
        "not safe to serve people from; `test` is for the test suite.",
    )
    database_url: SecretStr = Field(
        SecretStr(UNSET_DATABASE),
        description="PostgreSQL as the run-time role `souvenir_app`, which owns nothing.",
    )
    owner_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as `souvenir_owner`. Only for the migration job; never give it to "
        "the web or a worker.",
    )
    relay_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as `souvenir_relay`. Only for the relay of the outbox.",
    )
    control_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as `souvenir_control`, which reads the directory of organizations. "
        "Only for tools of the operator.",
    )
    sweeper_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as `souvenir_sweeper`, which sees ids of every organization. Only "
        "for the verification of erasures; never give it to the web or a worker.",
    )
    large_store_passages: int = Field(
        100_000,
        ge=1,
        description="From so many passages on, a shared store gets a partition and a graph index "
        "of its own; below half of that it goes back. A person's store is always scanned exactly.",
    )
    graph_memory_mb: int = Field(
        512,
        ge=16,
        description="Memory to build a large store's graph index in: about 1.5 MB for a thousand "
        "vectors. With less, building takes several times as long.",
    )
    maintainer_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as `souvenir_maintainer`, which keeps the tables of search in "
        "order and reads no row. For workers and `tend_search`; never give it to the web.",
    )
    broker_url: SecretStr = Field(
        SecretStr("memory://"),
        description="Where jobs are rung: `pgmq://`, `amqp://…` or `redis://…`. A broker holds ids "
        "only, and losing it loses nothing.",
    )
    broker_dsn: SecretStr | None = Field(
        None, description="With `pgmq://`: the libpq address of the broker's database."
    )
    secret_key: SecretStr = Field(
        SecretStr(UNSET_KEY), description="Signs sessions, links and job messages. 50+ characters."
    )
    keyring_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL of the keyring, as `souvenir_app`: a database of its own, better "
        "on a server of its own, with backups that end sooner. Not set: beside the data.",
    )
    keyring_owner_database_url: SecretStr | None = Field(
        None,
        description="The same as `souvenir_owner`. Only for the migration job.",
    )
    key_provider: Literal["file", "transit", "pkcs11"] = Field(
        "file",
        description="Where the keys of organizations live: `file` is for one computer; `transit` "
        "is OpenBao or HashiCorp Vault; `pkcs11` is a hardware token.",
    )
    keys_dir: Path = Field(
        CHECKOUT / ".souvenir" / "keys",
        description="With `file`: the folder of the keys of organizations.",
    )
    keystore_url: str = Field(
        "",
        description="With `transit`: the address of the keystore, as `https://…`. It is part of "
        "the cell, as the database is: whoever runs it holds the keys.",
    )
    keystore_ca_file: Path | None = Field(
        None,
        description="With `transit`: the authority that signed the keystore's certificate (PEM). "
        "Not set: the authorities that this machine trusts.",
    )
    keystore_token_file: Path | None = Field(
        None,
        description="With `transit`: the file of the token to ask with, read at every use; or, "
        "with a role, of a Kubernetes service account's token.",
    )
    keystore_role: str = Field(
        "",
        description="With `transit`: the role to sign in with through Kubernetes "
        "(`auth/kubernetes`). Empty: the token file holds the keystore's own token.",
    )
    keystore_mount: str = Field(
        "transit", description="With `transit`: the path that the engine is mounted at."
    )
    keystore_namespace: str = Field(
        "", description="With `transit`: the namespace of the keystore; empty: none."
    )
    pkcs11_module: Path | None = Field(
        None, description="With `pkcs11`: the token's library (`.so`)."
    )
    pkcs11_token: str = Field("", description="With `pkcs11`: the label of the token.")
    pkcs11_pin_file: Path | None = Field(
        None, description="With `pkcs11`: the file of the PIN, read when a session is opened."
    )
    audit_key_file: Path = Field(
        CHECKOUT / ".souvenir" / "audit-key.pem",
        description="The Ed25519 key (PEM) that signs checkpoints of the audit log. Outside of "
        "production it is made when it is first needed. Only the sweep needs it.",
    )
    objects_dir: Path = Field(
        CHECKOUT / ".souvenir" / "objects",
        description="The folder of uploads, assets and finished exports.",
    )
    placements_file: Path = Field(
        REGISTRY,
        description="The registry of placements (JSON) that organizations may be homed in.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8700", description="The address people reach Souvenir at."
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost", "[::1]"],
        description="Host names that are answered, separated by commas.",
    )
    cell: str = Field(
        "local", description="The code of the placement that this very installation runs in."
    )
    upload_max_bytes: int = Field(
        5 * 1024**3, ge=1, description="The largest upload that is taken, in bytes."
    )
    export_days: int = Field(
        7, ge=1, le=30, description="How long a finished export can be downloaded, in days."
    )
    idempotency_hours: int = Field(
        48,
        ge=24,
        le=24 * 30,
        description="How long a request that came with an `Idempotency-Key` is known again, in "
        "hours.",
    )
    event_streams: int = Field(
        4,
        ge=0,
        le=64,
        description="How many may follow a job by a stream at once, in each web process: each "
        "takes one of its threads. The others poll.",
    )
    transfers: int = Field(
        3,
        ge=1,
        le=64,
        description="How many files may be on their way in or out at once, in each web process: "
        "each takes one of its threads. Nobody takes the last place.",
    )
    job_days: int = Field(
        90, ge=1, description="How long a job that has ended is remembered, in days."
    )
    key_days: int = Field(
        365,
        ge=1,
        description="After how many days a person gets a new key, and what the old one sealed is "
        "sealed again in the background.",
    )
    quota_bytes_per_day: int = Field(
        50 * 1024**3,
        ge=1,
        description="How much an organization may upload in a day (UTC), in bytes, where its own "
        "allowance says nothing.",
    )
    quota_jobs: int = Field(
        10_000,
        ge=1,
        description="How many unfinished jobs an organization may have, where its own allowance "
        "says nothing. Erasures are always accepted.",
    )
    webhook_patience_days: float = Field(
        5,
        gt=0,
        le=60,
        description="A webhook that has taken nothing for so many days is turned off.",
    )
    egress_inside: Annotated[list[str], NoDecode] = Field(
        [],
        description="Hosts inside the cell that webhooks and the reranker may be called at though "
        "their addresses are private: `host:port`, separated by commas.",
    )
    egress_ca_file: Path | None = Field(
        None,
        description="Certificate authorities (PEM) that calls out of the cell trust besides the "
        "system's.",
    )
    rerank_url: str = Field(
        "",
        description="The https address of a reranker, which orders anew what search has found, "
        "over REST and in the console. It is sent the question and the best passages' texts. "
        "Empty: none is asked.",
    )
    rerank_kind: Literal["tei", "cohere"] = Field(
        "tei",
        description="What it speaks: `tei` (Text Embeddings Inference), or `cohere` (Cohere, Jina, "
        "vLLM and what is compatible with them).",
    )
    rerank_model: str = Field("", description="With `cohere`: the model to ask for.")
    rerank_key_file: Path | None = Field(
        None, description="The file of the key that the reranker wants, read at every use."
    )
    rerank_placement: str = Field(
        "",
        description="The code of the placement that the reranker answers in. Only where "
        "the policy allows that place is it asked.",
    )
    rerank_timeout_seconds: float = Field(
        1.0,
        gt=0,
        le=10,
        description="How long an answer may wait for the reranker, in seconds. After that it comes "
        "in the order that search gave it.",
    )
    rerank_passages: int = Field(
        40, ge=2, le=100, description="How many of the best passages the reranker is shown."
    )
    demo: bool = Field(
        default=True,
        description="Make the demonstration at the first start of the embedded profile.",
    )
    metrics_dir: Path | None = Field(
        None,
        description="The folder, of one machine or pod, where its processes write what they count. "
        "Unset: nothing is told.",
    )
    metrics_address: str = Field(
        "127.0.0.1",
        description="Where `python -m souvenir.config.metrics_exporter` listens for Prometheus. "
        "Never on an address that the public reaches.",
    )
    metrics_port: int = Field(
        9464, ge=0, le=65535, description="The port of the same; 0: any that is free."
    )
    log_format: Literal["json", "plain"] = Field(
        "json", description="One JSON object per line, or plain lines for a person."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the logs say. They never hold content."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_hosts(cls, values: dict[str, object]) -> dict[str, object]:
        split = {
            name: [host.strip() for host in hosts.split(",") if host.strip()]
            for name in ("allowed_hosts", "egress_inside")
            if isinstance(hosts := values.get(name), str)
        }
        return {**values, **split}

    @model_validator(mode="after")
    def _refuse_a_provider_without_its_settings(self) -> Self:
        needed = {
            "file": (),
            "transit": ("keystore_url", "keystore_token_file"),
            "pkcs11": ("pkcs11_module", "pkcs11_token", "pkcs11_pin_file"),
        }[self.key_provider]
        if missing := [f"SOUVENIR_{name.upper()}" for name in needed if not getattr(self, name)]:
            msg = f"With SOUVENIR_KEY_PROVIDER={self.key_provider}, set {', '.join(missing)}."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_a_reranker_nobody_knows_the_place_of(self) -> Self:
        if self.rerank_url and not (
            self.rerank_url.startswith("https://") and self.rerank_placement
        ):
            msg = "With SOUVENIR_RERANK_URL (https), set SOUVENIR_RERANK_PLACEMENT."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> Self:
        if self.profile != "production":
            return self
        wrong = {
            "SOUVENIR_SECRET_KEY": len(self.secret_key.get_secret_value()) < _SECRET_CHARACTERS,
            "SOUVENIR_PUBLIC_URL": not self.public_url.startswith("https://"),
            "SOUVENIR_BROKER_URL": self.broker_url.get_secret_value() == "memory://",
            "SOUVENIR_DATABASE_URL": not _is_checked(self.database_url),
            "SOUVENIR_KEYRING_DATABASE_URL": not _is_checked(self.keyring_database_url)
            or _place(self.keyring_database_url) == _place(self.database_url),
            "SOUVENIR_KEY_PROVIDER": self.key_provider == "file",
            "SOUVENIR_KEYSTORE_URL": self.key_provider == "transit"
            and not self.keystore_url.startswith("https://"),
        }
        if names := ", ".join(name for name, is_wrong in wrong.items() if is_wrong):
            msg = f"The production profile does not start with this value of {names}."
            raise ValueError(msg)
        return self


def _is_checked(url: SecretStr | None) -> bool:
    """Whether a connection is encrypted, to a server whose name was checked."""
    parts = conninfo_to_dict(url.get_secret_value()) if url else {}
    return parts.get("sslmode") == "verify-full"


def _place(url: SecretStr | None) -> tuple[object, ...]:
    """Which database it is, whoever enters it."""
    parts = conninfo_to_dict(url.get_secret_value()) if url else {}
    host = str(parts.get("host") or parts.get("hostaddr") or "").lower()
    return host, str(parts.get("port") or 5432), parts.get("dbname")
