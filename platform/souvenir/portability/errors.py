"""Why an upload is refused. Each says what it seems to be, and what to do about it."""

from souvenir.core.errors import Invalid, gettext_noop


class NotJson(Invalid):
    code = "import-not-json"
    message = gettext_noop(
        "{path} is not valid JSON (near byte {position}). Download your export again, and upload "
        "the zip as it is, or the conversations.json inside it."
    )


class TruncatedJson(Invalid):
    code = "import-truncated"
    message = gettext_noop(
        "{path} stops before its end. The download was probably cut short: download your export "
        "again, and upload the whole file."
    )


class NotUtf8(Invalid):
    code = "import-not-utf8"
    message = gettext_noop(
        "This file is not encoded in UTF-8. It was probably saved again by another program: "
        "upload the file as you received it."
    )


class EmptyImport(Invalid):
    code = "import-empty"
    message = gettext_noop(
        "There is no conversation in this file. Check that it is the right one, and that the "
        "export was not limited to a period without conversations."
    )


class HtmlUploaded(Invalid):
    code = "import-html"
    message = gettext_noop(
        "This is the HTML copy of an export, made for reading. Upload the conversations.json that "
        "came with it, or the whole zip."
    )


class ImageUploaded(Invalid):
    code = "import-image"
    message = gettext_noop(
        "This is a picture, sound or video, not a chat history. Upload the zip of your export, or "
        "the conversations.json inside it."
    )


class DocumentUploaded(Invalid):
    code = "import-document"
    message = gettext_noop(
        "This is a document (PDF or office), not a chat history. Upload the zip of your export, "
        "or the conversations.json inside it."
    )


class UnknownFormat(Invalid):
    code = "import-unknown-format"
    message = gettext_noop(
        "This is not a history that Souvenir can read. Upload the zip of your ChatGPT, Claude or "
        "Le Chat export, or the conversations.json inside it."
    )


class UnsupportedFormat(Invalid):
    code = "import-unsupported-format"
    message = gettext_noop(
        "This looks like {format}, which Souvenir cannot read yet. Keep the file, and upload a "
        "ChatGPT, Claude or Le Chat export in the meantime."
    )


class ObjectTooLarge(Invalid):
    code = "import-object-too-large"
    message = gettext_noop(
        "One object in {path} is larger than {limit_mib} MiB. Check that this is the export as "
        "you received it."
    )


class DamagedArchive(Invalid):
    code = "archive-damaged"
    message = gettext_noop(
        "This zip is damaged or incomplete. Download your export again, and upload it as it is."
    )


class EncryptedArchive(Invalid):
    code = "archive-encrypted"
    message = gettext_noop(
        "This zip is protected by a password. Unpack it, zip it again without one, and upload that."
    )


class UnsupportedArchive(Invalid):
    code = "archive-unsupported"
    message = gettext_noop(
        "This is an archive of a kind that Souvenir does not open. Unpack it, and upload the "
        "conversations.json inside it, or the same files in a zip."
    )


class UnsafePath(Invalid):
    code = "archive-unsafe-path"
    message = gettext_noop(
        "This zip holds a file whose path leads outside the zip. Upload the zip as you received it "
        "from your assistant."
    )


class SpecialFile(Invalid):
    code = "archive-special-file"
    message = gettext_noop(
        "This zip holds a link or another special file. Zip the plain files only, and upload that."
    )


class DuplicateName(Invalid):
    code = "archive-duplicate-name"
    message = gettext_noop(
        "This zip holds two files of the same name. Upload the zip as you received it from your "
        "assistant."
    )


class TooManyFiles(Invalid):
    code = "archive-too-many-files"
    message = gettext_noop(
        "This zip holds more than {limit} files. Upload it in several parts, each with its "
        "conversations.json."
    )


class TooLarge(Invalid):
    code = "archive-too-large"
    message = gettext_noop(
        "This zip unpacks to more than {limit_gib} GiB. Upload it in several parts, or only its "
        "conversations.json."
    )


class TooDense(Invalid):
    code = "archive-too-dense"
    message = gettext_noop(
        "This zip unpacks to more than {limit} times its size, as zips made to do harm do. Upload "
        "the conversations.json alone."
    )


class NestedArchive(Invalid):
    code = "archive-nested"
    message = gettext_noop(
        "This zip holds zips within zips, more than {limit} deep. Unpack it, and upload the "
        "innermost one."
    )


class AlteredArchive(Invalid):
    code = "archive-altered"
    message = gettext_noop(
        "This Souvenir archive is not as it was written: {path} is missing, was changed or was "
        "added. Nothing was taken from it. Bring the file as it was downloaded."
    )


class NewerArchive(Invalid):
    code = "archive-version"
    message = gettext_noop(
        "This Souvenir archive is of version {version}, and this installation reads up to {known}. "
        "Update Souvenir, then bring it again."
    )
