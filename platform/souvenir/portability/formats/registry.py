"""Which provider is read by what: a new format is one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from souvenir.portability.documents import ConversationDocument, JsonObject, JsonValue
from souvenir.portability.formats import chatgpt, claude, claude_design, lechat
from souvenir.portability.json_values import as_list, as_object
from souvenir.portability.notices import NoticeLog


@dataclass(frozen=True, slots=True)
class Codec:
    """How one provider's conversations are read, from the parsed JSON of one of them."""

    is_readable: Callable[[JsonValue], bool]
    count_messages: Callable[[JsonValue], int]  # from the source's own shape
    layout: Callable[[JsonValue], str]  # "" where it cannot tell
    conversation_id: Callable[[JsonValue], str]  # "" where none stands
    normalise: Callable[[JsonValue, str, NoticeLog], ConversationDocument]


def _design(source: JsonValue) -> JsonObject:
    return claude_design.as_conversation(as_object(source))


CODECS = {
    "chatgpt": Codec(
        is_readable=lambda source: chatgpt.is_readable(as_object(source)),
        count_messages=lambda source: chatgpt.count_messages(as_object(source)),
        layout=lambda source: chatgpt.layout(as_object(source)),
        conversation_id=lambda source: chatgpt.conversation_id(as_object(source)),
        normalise=lambda source, name, log: chatgpt.normalise(as_object(source), name, log),
    ),
    "claude": Codec(
        is_readable=lambda source: claude.is_readable(as_object(source)),
        count_messages=lambda source: claude.count_messages(as_object(source)),
        layout=lambda source: claude.layout(as_object(source)),
        conversation_id=lambda source: claude.conversation_id(as_object(source)),
        normalise=lambda source, name, log: claude.normalise(as_object(source), name, log),
    ),
    "claude-design": Codec(
        is_readable=lambda source: claude_design.is_readable(as_object(source)),
        count_messages=lambda source: lechat.count_messages(
            as_list(as_object(source).get("messages"))
        ),
        layout=lambda _: "",
        conversation_id=lambda source: claude.conversation_id(as_object(source)),
        normalise=lambda source, name, log: claude.normalise(_design(source), name, log),
    ),
    "lechat": Codec(
        is_readable=lambda source: isinstance(source, list),
        count_messages=lambda source: lechat.count_messages(as_list(source)),
        layout=lambda _: "linear",
        conversation_id=lambda source: lechat.conversation_id(as_list(source)),
        normalise=lambda source, name, log: lechat.normalise(as_list(source), name, log),
    ),
}
