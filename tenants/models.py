"""The directory of organizations, who may enter them, their machine keys and their jobs."""

from typing import ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from souvenir.core.ids import new_id
from tenants.isolation.tables import TenantForeignKey, TenantScoped
from tenants.sealed import SealedJsonField, SealedRecord


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail addresses are compared without case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Someone who signs in. Holds no memory: a membership may tie a user to a Person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, default="en-ca")
    is_active = models.BooleanField(default=True)
    is_platform_admin = models.BooleanField(default=False)  # creates organizations; reads no memory

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


class Organization(models.Model):
    """A tenant, as the directory knows it. Lives in one cell, for ever in this version."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"  # nothing is read or written, nothing is lost
        ERASED = "erased"  # an empty name in the directory: no row of it is left elsewhere

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name_en = models.CharField(max_length=200)
    name_fr = models.CharField(max_length=200)
    placement = models.CharField(
        max_length=63
    )  # code in the registry of placements: the home region
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    time_zone = models.CharField(max_length=64, default="", db_default="")  # "": the installation's
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """Which user may enter which organization, as what."""

    class Role(models.TextChoices):
        OWNER = "owner"  # everything of the organization, except other people's memories
        MEMBER = "member"  # one's own memory

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    role = models.CharField(max_length=16, choices=Role)
    person_id = models.UUIDField(null=True)  # whose memory is "my memory"; None: has none here

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="one_membership"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id}"


class PlatformKey(models.Model):
    """A key of the operator: acts on the directory, opens no organization."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    label = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the whole key, hex
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label


class ApiKey(TenantScoped):
    """A machine's key to one organization. The key itself is shown once and kept nowhere."""

    label = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # SHA-256 of the whole key, hex
    hint = models.CharField(max_length=8)  # its last four characters, to tell keys apart
    scopes = models.TextField()  # separated by spaces; see tenants.keys.SCOPES
    person_id = models.UUIDField(null=True)  # reaches this person's memory alone; None: everyone's
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "digest"], name="key_digest_once"),
        ]

    def __str__(self) -> str:
        return self.label


class Job(SealedRecord):
    """Accepted background work. This row is the truth; a message only rings for it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"  # `failed` tells how much of it was set aside all the same
        FAILED = "failed"
        CANCELLED = "cancelled"  # someone asked for it, or what it worked on is being erased

    class ErrorClass(models.TextChoices):
        PERMANENT = "permanent"  # trying again gives the same answer
        TRANSIENT = "transient"  # it waits, and goes on by itself
        POISON = "poison"  # our code or our process breaks on it

    kind = models.CharField(max_length=63)  # a value of souvenir.core.jobs.Job
    subject_id = models.UUIDField()  # the import, export or erasure it works on
    person_id = models.UUIDField(null=True)
    parent_id = models.UUIDField(null=True)  # the job that asked for this one; ends with it
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    done = models.BigIntegerField(default=0)  # in `unit`s
    failed = models.BigIntegerField(default=0)  # in `unit`s: set aside, each with a code
    total = models.BigIntegerField(null=True)  # None: not known yet
    unit = models.CharField(max_length=32, default="objects")
    attempts = models.IntegerField(default=0)  # claims since it last moved on
    waits = models.IntegerField(default=0)  # times it was parked since it last moved on
    fence = models.BigIntegerField(default=0)  # grows at each claim; an older holder writes nothing
    holder = models.CharField(max_length=127, blank=True)  # host and process; "": nobody holds it
    ring_at = models.DateTimeField(default=timezone.now)  # if unfinished by then, ring again
    error_class = models.CharField(max_length=16, choices=ErrorClass, blank=True)
    error_code = models.CharField(max_length=63, blank=True)
    error_params = models.JSONField(default=dict)  # codes and numbers of ours
    error_told = SealedJsonField(null=True)  # what may name a person's files or words
    cost_bytes = models.BigIntegerField(default=0)  # read or written
    cost_tokens = models.BigIntegerField(default=0)  # given to a model
    cost_seconds = models.FloatField(default=0.0)  # of a worker's time
    cancel_requested_at = models.DateTimeField(null=True)
    version = models.BigIntegerField(default=1)  # grows at each change that a person can see
    changed_at = models.DateTimeField(default=timezone.now)  # when it last grew
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["tenant_id", "state", "ring_at"], name="job_to_ring"),
            models.Index(fields=["tenant_id", "created_at"], name="job_newest"),
            models.Index(fields=["tenant_id", "parent_id"], name="job_children"),
        ]

    def sealed_for(self) -> list[UUID]:
        """The person it is about; else the organization itself."""
        return [self.person_id or self.tenant_id]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class JobItem(TenantScoped):
    """One bounded part of a job: `size` units from `first` on, of the part called `name`.

    Its effects commit with its state. Holds ids, counts and codes, nothing of what people wrote.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"  # an error that the person can act on
        QUARANTINED = "quarantined"  # it breaks us: set aside, so that the rest can go on

    job = TenantForeignKey(Job)
    ordinal = models.IntegerField()  # the order of the work
    name = models.CharField(max_length=127)  # what the job's code finds it by
    first = models.IntegerField(default=0)
    size = models.IntegerField(default=1)  # in the job's units; cut in two to find what breaks us
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempts = models.IntegerField(default=0)
    losses = models.IntegerField(default=0)  # how many workers have died over it
    fence = models.BigIntegerField(default=0)  # of the claim that began it
    error_class = models.CharField(max_length=16, choices=Job.ErrorClass, blank=True)
    error_code = models.CharField(max_length=63, blank=True)
    error_params = models.JSONField(default=dict)
    cost_bytes = models.BigIntegerField(default=0)
    cost_tokens = models.BigIntegerField(default=0)
    cost_seconds = models.FloatField(default=0.0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "job", "ordinal", "first"], name="item_place_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "job", "state", "ordinal"], name="item_next"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.first}+{self.size}"


class Usage(TenantScoped):
    """What an organization has sent in on one day, for its quota. UTC days; counts only."""

    day = models.DateField()
    uploaded_bytes = models.BigIntegerField(default=0)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "day"], name="usage_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class Ring(models.Model):
    """An unfinished job's place in its queue, and the message that is owed for it: the outbox.

    Written in the transactions that write the job's own row. Holds ids, so that the relay can take
    turns between organizations without seeing into any.
    """

    class State(models.TextChoices):
        WAITING = "waiting"  # a message is owed from `due_at` on
        RUNG = "rung"  # sent; if nobody answers by `due_at`, it counts as lost
        RUNNING = "running"  # a worker has it; if it does not renew by `due_at`, it is gone
        DEAD = "dead"  # a dead letter: it needs a person

    job_id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField()
    kind = models.CharField(max_length=63)
    queue = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    since = models.DateTimeField()  # when it last began to wait
    turns = models.IntegerField(default=0)  # turns it has had so far: a long job has many
    rings = models.IntegerField(default=0)  # messages since a worker last answered
    reason = models.CharField(max_length=63, blank=True)  # why it is dead: a code

    class Meta:
        indexes = [
            models.Index(fields=["queue", "state", "organization_id", "due_at"], name="ring_turn"),
            models.Index(fields=["organization_id"], name="ring_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id} ({self.state})"


class Allowance(models.Model):
    """What an organization may use at once and in a day, and what its turn stands at.

    None means the installation's default. No row means defaults throughout.
    """

    organization_id = models.UUIDField(primary_key=True)
    weight = models.IntegerField(default=1)  # of its turns, against other organizations'
    jobs_at_once = models.IntegerField(null=True)  # in one queue
    jobs_waiting = models.IntegerField(null=True)  # accepted and not ended
    bytes_per_day = models.BigIntegerField(null=True)
    credit_seconds = models.FloatField(default=0.0)  # of work it may still do in this round
    paused = models.BooleanField(default=False)  # suspended: its jobs wait

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} ×{self.weight}"


class Breaker(models.Model):
    """A kind of job whose dependency does not answer. No row: all is well."""

    kind = models.CharField(max_length=63, primary_key=True)
    code = models.CharField(max_length=63)  # of the last error
    failures = models.IntegerField(default=0)  # in a row, of whatever organization
    open_until = models.DateTimeField(null=True)  # None: not open; after that, one job tries

    def __str__(self) -> str:
        return f"{self.kind}: {self.code} ×{self.failures}"


class Schedule(models.Model):
    """When a named piece of upkeep is due next. Claimed by whoever moves `next_at` on."""

    name = models.CharField(max_length=63, primary_key=True)
    next_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    runs = models.BigIntegerField(default=0)
    failures = models.IntegerField(default=0)  # in a row
    error = models.CharField(max_length=127, blank=True)  # the last one's class; never its text

    def __str__(self) -> str:
        return self.name
