"""What can go wrong with the record."""

from souvenir.core.errors import Conflict, Invalid, NotFound, gettext_noop


class PersonNotFound(NotFound):
    code = "person-not-found"
    message = gettext_noop("There is no person {person}.")


class PersonLeaving(Conflict):
    code = "person-leaving"
    message = gettext_noop(
        "{person} is being erased. Once that is done, the name can be used again, for someone new."
    )


class StoreNotFound(NotFound):
    code = "store-not-found"
    message = gettext_noop("There is no store {store}.")


class ConversationNotFound(NotFound):
    code = "conversation-not-found"
    message = gettext_noop("There is no conversation {conversation_id}.")


class MemoryNotFound(NotFound):
    code = "memory-not-found"
    message = gettext_noop("There is no memory {memory_id}.")


class MemoryEmpty(Invalid):
    code = "memory-empty"
    message = gettext_noop("There is nothing to remember: the text holds only white space.")


class MemoryTooLong(Invalid):
    code = "memory-too-long"
    message = gettext_noop(
        "A memory holds at most {limit} characters, and this is {length}. Import it as a file."
    )


class TooManySubjects(Invalid):
    code = "too-many-subjects"
    message = gettext_noop("A memory is about at most {limit} other people. Keep several memories.")


class MemoryChanged(Conflict):
    code = "memory-changed"
    message = gettext_noop(
        "This memory was changed in the meantime: it is at version {version}. Read it again, then "
        "correct that version."
    )


class ExternalIdInvalid(Invalid):
    code = "external-id-invalid"
    message = gettext_noop(
        "A person’s id is 1 to 200 visible characters, without spaces at its ends."
    )


class StoreNeeded(Invalid):
    code = "store-needed"
    message = gettext_noop("Say where to keep it: name the person, or a shared store.")


class StoreNameInvalid(Invalid):
    code = "store-name-invalid"
    message = gettext_noop("A shared store’s name is lower-case letters, digits and dashes.")


class MetadataInvalid(Invalid):
    code = "metadata-invalid"
    message = gettext_noop("Metadata is an object of names and values, none of them nested.")


class MetadataTooLarge(Invalid):
    code = "metadata-too-large"
    message = gettext_noop("A memory has at most {limit} entries of metadata.")


class MetadataNameInvalid(Invalid):
    code = "metadata-name-invalid"
    message = gettext_noop(
        "Entry {position} of the metadata: a name is 1 to {limit} visible characters, without "
        "spaces at its ends."
    )


class MetadataNameTwice(Invalid):
    code = "metadata-name-twice"
    message = gettext_noop(
        "Entry {position} of the metadata has the name of an entry before it: some characters can "
        "be written in two ways, and are one."
    )


class MetadataValueInvalid(Invalid):
    code = "metadata-value-invalid"
    message = gettext_noop(
        "Entry {position} of the metadata: a value is a text of at most {limit} characters, true "
        "or false, or a number (a whole one of at most 2⁵³)."
    )


class MetadataFilterUnsupported(Invalid):
    code = "metadata-filter-unsupported"
    message = gettext_noop(
        "Entry {position} of the metadata filter: it can ask for a value, or for any of 1 to "
        "{limit} values. Ranges, parts of a text and missing entries are not offered: the values "
        "are sealed."
    )
