"""What can go wrong with organizations, keys and jobs."""

from souvenir.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
    gettext_noop,
)


class OrganizationNotFound(NotFound):
    code = "organization-not-found"
    message = gettext_noop("There is no organization {organization}.")


class SlugTaken(Conflict):
    code = "slug-taken"
    message = gettext_noop("The short name “{slug}” is taken. Choose another one.")


class OrganizationExists(Conflict):
    """Only a caller that chooses ids, or names one key twice, meets this."""

    code = "organization-exists"
    message = gettext_noop("There is an organization {organization} already. Send a new key.")


class PlacementRefused(Invalid):
    """`params["reasons"]` holds codes of tenants.residency.REASONS, which the doors spell out."""

    code = "placement-refused"
    message = gettext_noop("An organization cannot be homed in “{placement}”: {reasons}.")


class OrganizationSuspended(Forbidden):
    code = "organization-suspended"
    message = gettext_noop(
        "This organization is suspended. Nothing was lost; ask the platform administrator."
    )


class OrganizationErased(Conflict):
    code = "organization-erased"
    message = gettext_noop("This organization was erased. It cannot be brought back.")


class KeyNotFound(NotFound):
    code = "key-not-found"
    message = gettext_noop("There is no key {key_id}.")


class UnknownScope(Invalid):
    code = "unknown-scope"
    message = gettext_noop("“{scope}” is not a scope. The scopes are: {known}.")


class ScopeNotForPerson(Invalid):
    code = "scope-not-for-person"
    message = gettext_noop(
        "A key for one person cannot have the scope “{scope}”: it reaches the whole organization."
    )


class JobNotFound(NotFound):
    code = "job-not-found"
    message = gettext_noop("There is no job {job_id}.")


class JobGaveUp(Conflict):
    code = "job-gave-up"
    message = gettext_noop(
        "This was tried {attempts} times and did not finish. Nothing half-done is shown; try again "
        "later, and tell the operator if it stays."
    )


class JobEnded(Conflict):
    code = "job-ended"
    message = gettext_noop("The job {job_id} has ended already: there is nothing left to stop.")


class JobNotCancellable(Conflict):
    code = "job-not-cancellable"
    message = gettext_noop("An erasure that was accepted is carried out: it cannot be stopped.")


class NothingToRetry(Conflict):
    code = "nothing-to-retry"
    message = gettext_noop("Nothing of the job {job_id} failed, or it has not ended yet.")


class QuotaExceeded(Unavailable):
    """`params["retry_after_seconds"]`: when it may work again."""

    code = "quota-exceeded"
    message = gettext_noop("This organization has used up what it may use for now.")


class UploadQuotaExceeded(QuotaExceeded):
    code = "upload-quota-exceeded"
    message = gettext_noop(
        "This organization may send in {limit} bytes a day, and this would be more. Try again "
        "tomorrow; the operator can raise the limit."
    )


class TooManyJobs(QuotaExceeded):
    code = "too-many-jobs"
    message = gettext_noop(
        "{limit} jobs of this organization are not finished, the most it may have. Try again when "
        "some have ended; the operator can raise the limit."
    )


class JobBroke(Conflict):
    """What happened when a job met an error that nobody foresaw. It is tried again."""

    code = "job-broke"
    message = gettext_noop(
        "Something went wrong on our side ({what}). It is tried again by itself."
    )


class ItemBreaks(Conflict):
    code = "item-breaks"
    message = gettext_noop(
        "Something of it cannot be taken in ({what}). It was set aside, and the rest went on; the "
        "operator can let it be tried again."
    )


class LeaseLost(Conflict):
    """The job was taken over: whoever holds this lease must stop, and has written nothing since."""

    code = "lease-lost"
    message = gettext_noop("Another worker has taken this job over.")


class FlowRefused(Forbidden):
    code = "flow-refused"
    message = gettext_noop("Residency does not allow this call: {reasons}.")


class AddressRefused(Forbidden):
    code = "address-refused"
    message = gettext_noop("The address {host} is not one that may be called.")


class MaintainerMissing(Unavailable):
    """SOUVENIR_MAINTAINER_DATABASE_URL is not set where the tables of search are to be kept."""

    code = "maintainer-missing"
    message = gettext_noop("This process may not maintain the tables of search. Tell the operator.")


class TablesBusy(Unavailable):
    code = "tables-busy"
    message = gettext_noop("The tables of search are in use. It is tried again in a while.")


class TimeZoneUnknown(Invalid):
    code = "time-zone-unknown"
    message = gettext_noop(
        "There is no time zone of this name. A name is like America/Toronto, from the IANA list."
    )
