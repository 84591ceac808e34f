"""The words that people read for the codes that the layers below speak in."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tenants.placements import placements
from tenants.residency import REASONS

Words = dict[str, str | Promise]

PROVIDERS: Words = {
    "chatgpt": "ChatGPT",
    "claude": "Claude",
    "lechat": "Le Chat",
    "souvenir": "Souvenir",
}
ROLES: Words = {
    "user": _("You"),
    "assistant": _("Assistant"),
    "tool": _("Tool"),
    "system": _("System"),
    "developer": _("Developer of the assistant"),
    "event": _("Event"),
}
BLOCKS: Words = {
    "text": _("Text"),
    "thinking": _("Thinking"),
    "reasoning_recap": _("Summary of the thinking"),
    "code": _("Code"),
    "tool_call": _("Call of a tool"),
    "tool_result": _("What the tool gave"),
    "image": _("Picture"),
    "audio": _("Sound"),
    "video": _("Video"),
    "file": _("File"),
    "transcript": _("Transcript"),
    "citation": _("Citation"),
    "search_result": _("Search result"),
    "artifact": _("Document made by the assistant"),
    "user_context": _("What the assistant was told about you"),
    "memory_write": _("What the assistant wanted to remember"),
    "error": _("Error"),
    "unknown": _("Part of an unknown type"),
}
KINDS: Words = {
    "fact": _("Fact"),
    "preference": _("Preference"),
    "instruction": _("Instruction"),
    "identity": _("Identity"),
    "project": _("Project"),
    "goal": _("Goal"),
    "skill": _("Skill"),
    "relationship": _("Relationship"),
    "context": _("Context"),
}
METHODS: Words = {
    "user_typed": _("written by you"),
    "agent": _("written by an assistant or a program"),
    "provider_export": _("found in an import"),
}
JOB_KINDS: Words = {
    "run-import": _("Import"),
    "embed-passages": _("Search index, by meaning"),
    "seal-again": _("New key"),
    "rebuild-tokens": _("Search index, by words"),
    "promote-store": _("Search index of a large store"),
    "demote-store": _("Search index of a store that is large no more"),
    "fill-model": _("Search index, by a new model of meaning"),
    "clear-model": _("Search index, clearing an old model of meaning"),
    "deliver-webhooks": _("Webhook deliveries"),
    "write-export": _("Copy to take home"),
    "erase": _("Erasure"),
}
JOB_STATES: Words = {
    "queued": pgettext_lazy("job", "Waiting"),
    "running": pgettext_lazy("job", "Under way"),
    "succeeded": pgettext_lazy("job", "Done"),
    "failed": pgettext_lazy("job", "Failed"),
    "cancelled": pgettext_lazy("job", "Stopped"),
}
# Whose words a passage is in: the numbers of souvenir.ingestion.models.Trust.
TRUST: Words = {
    "3": _("your own words"),
    "2": _("an assistant’s words"),
    "1": _("a third party’s words: a file, a page or a tool"),
}
WHY_FOUND: Words = {
    "words-and-meaning": _("found by its words and by its meaning"),
    "words": _("found by its words"),
    "meaning": _("found by its meaning"),
    "time": _("of the time you ask about"),
}
LEFT_OUT: Words = {
    "budget": _("there was no room left"),
    "duplicate": _("nothing in it that is not said already"),
    "source-share": _(
        "one conversation fills three fifths at most, while others have something to say too"
    ),
    "third-party-share": _(
        "files, pages and tools fill half at most, while people have something to say too"
    ),
}
PART_STATES: Words = {
    **JOB_STATES,
    "quarantined": _("Set aside, so that the rest could go on"),
}
UNITS: Words = {
    "objects": _("objects"),
    "passages": _("passages"),
    "rows": _("records"),
    "tables": _("steps"),
    "files": _("files"),
    "deliveries": _("deliveries"),
}
RAW_KINDS: Words = {
    "conversation": _("Conversations"),
    "account": _("Account"),
    "feedback": _("Feedback"),
    "project": _("Projects"),
    "memory": _("Memories"),
    "other": _("Other objects"),
}
TARGETS: Words = {
    "memory": _("A memory"),
    "conversation": _("A conversation"),
    "import": _("An import"),
    "person": _("Everything of a person"),
    "organization": _("The whole organization"),
}
ERASED: Words = {
    "passage_vectors": _("Vectors for the search by meaning"),
    "passage_tokens": _("Words of the search index"),
    "passages": _("Passages of the search index"),
    "evidence": _("Links to the evidence"),
    "memory_versions": _("Versions of memories"),
    "memories": _("Memories"),
    "metadata_tokens": _("Metadata in the search index"),
    "memory_subjects": _("Links to the people whom memories are about"),
    "large_stores": _("Search index of large stores"),
    "raw_objects": _("Objects kept word for word"),
    "assets": _("Files that came along"),
    "asset_files": _("Files on disk"),
    "messages": _("Messages"),
    "conversations": _("Conversations"),
    "imports": _("Imports"),
    "upload_files": _("Uploads waiting on disk"),
    "sources": _("Sources"),
    "stores": _("Stores"),
    "exports": _("Copies asked for"),
    "export_files": _("Copies on disk"),
    "keys": _("API keys"),
    "people": _("People"),
    "answers": _("Answers kept for repeated requests"),
    "webhooks": _("Webhooks"),
    "object_files": _("Files on disk"),
}
SCOPES: Words = {
    "memories:read": _("Search and read memories"),
    "memories:write": _("Add, correct and forget memories"),
    "imports:write": _("Import histories"),
    "exports:write": _("Ask for copies and download them"),
    "erasures:write": _("Erase"),
    "organization:read": _("See people, jobs and where the data is"),
    "organization:write": _("Add people, make and revoke keys"),
}
EVENTS: Words = {
    "import.completed": _("An import is done"),
    "import.failed": _("An import failed"),
    "import.cancelled": _("An import was stopped"),
    "export.completed": _("A copy is ready"),
    "export.failed": _("A copy failed"),
    "export.cancelled": _("A copy was stopped"),
    "erasure.completed": _("An erasure is done"),
    "erasure.failed": _("An erasure failed"),
    "erasure.cancelled": _("An erasure was stopped"),
}
DELIVERY_STATES: Words = {
    "pending": pgettext_lazy("delivery", "Waiting"),
    "delivered": pgettext_lazy("delivery", "Taken"),
    "failed": pgettext_lazy("delivery", "Given up"),
}
NO_ANSWER: Words = {
    "no-answer": _("no answer in time"),
    "no-connection": _("no connection"),
    "flow-refused": _("refused by the residency policy"),
    "address-refused": _("the address is private"),
    "placement-unknown": _("the place is unknown"),
}
WEBHOOK_OFF: Words = {
    "asked": _("turned off by an owner"),
    "failing": _("it took nothing for days"),
    "gone": _("it wants no more (410)"),
}
ORGANIZATION_STATES: Words = {
    "active": pgettext_lazy("organization", "Active"),
    "suspended": pgettext_lazy("organization", "Suspended"),
    "erased": pgettext_lazy("organization", "Erased"),
}
CUSTODY: Words = {
    "customer": _("the organization"),
    "operator": _("the operator"),
    "shared": _("both together"),
    "unknown": _("unknown"),
}
PROVINCES: Words = {
    "AB": _("Alberta"),
    "BC": _("British Columbia"),
    "MB": _("Manitoba"),
    "NB": _("New Brunswick"),
    "NL": _("Newfoundland and Labrador"),
    "NS": _("Nova Scotia"),
    "NT": _("Northwest Territories"),
    "NU": _("Nunavut"),
    "ON": _("Ontario"),
    "PE": _("Prince Edward Island"),
    "QC": _("Quebec"),
    "SK": _("Saskatchewan"),
    "YT": _("Yukon"),
}
# Of the names of time zones: their first part.
REGIONS: Words = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic Ocean"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific Ocean"),
}
COUNTRIES: Words = {
    "CA": _("Canada"),
    "FR": _("France"),
    "US": _("United States"),
}
# What leaves the cell: the kinds of souvenir’s flows (tenants.residency.Flow).
FLOWS: Words = {
    "stay": _("what is kept there"),
    "embed": _("texts, for their vectors"),
    "rerank": _("a question and what was found, for a second look"),
    "webhook": _("ids, by a webhook"),
    "backup": _("copies of all data, sealed"),
    "export": _("copies that people asked for"),
    "support": _("what support looks at"),
}
# What the residency report and the registry that is shipped say in English.
DATA_CLASSES: Words = {
    "messages and memories": _("Messages and memories"),
    "search index: passages, blind tokens, vectors": _("Search index: passages, words, vectors"),
    "raw objects of imports": _("Imports, kept word for word"),
    "uploads, assets and finished exports": _("Uploads, files and finished copies"),
    "jobs in waiting (ids only)": _("Jobs in waiting (identifiers only)"),
    "embedding of texts": _("Making of the vectors"),
}
KEEPERS: Words = {
    "PostgreSQL": "PostgreSQL",
    "object folder": _("Folder of files"),
    "broker": _("Message broker"),
    "this cell’s own workers": _("This installation’s own workers"),
}
REGISTRY: Words = {
    "This computer": _("This computer"),
    "Whoever started Souvenir": _("Whoever started Souvenir"),
    "Declared by whoever started Souvenir on this computer; nobody has checked it. Change the "
    "province in the placements file if it is not Québec.": _(
        "Declared by whoever started Souvenir on this computer; nobody has checked it. Change the "
        "province in the placements file if it is not Quebec."
    ),
}
# What errors are told with, by the name of the parameter.
PARAMETERS: dict[str, Words] = {
    "scope": SCOPES,
    "target": {
        "memory": _("memory"),
        "conversation": _("conversation"),
        "import": _("import"),
        "person": _("person"),
        "organization": _("organization"),
    },
    "format": {
        "a Claude Code session": _("a Claude Code session"),
        "a Codex session": _("a Codex session"),
        "a DeepSeek export": _("a DeepSeek export"),
        "a Google (Gemini) activity": _("a Google (Gemini) activity"),
        "a Grok export": _("a Grok export"),
        "a Letta agent file": _("a Letta agent file"),
        "a LibreChat export": _("a LibreChat export"),
        "a MIF file": _("a MIF file"),
        "a Perplexity thread": _("a Perplexity thread"),
        "a Portable AI Memory file": _("a Portable AI Memory file"),
        "a Qwen export": _("a Qwen export"),
        "an ATIF trajectory": _("an ATIF trajectory"),
        "an Open WebUI or Qwen export": _("an Open WebUI or Qwen export"),
    },
}
REASON_WORDS: Words = {code: _(sentence) for code, sentence in REASONS.items()}

WORDS: dict[str, Words] = {
    "provider": PROVIDERS,
    "role": ROLES,
    "block": BLOCKS,
    "kind": KINDS,
    "method": METHODS,
    "job": JOB_KINDS,
    "job-state": JOB_STATES,
    "part-state": PART_STATES,
    "trust": TRUST,
    "why": WHY_FOUND,
    "left-out": LEFT_OUT,
    "unit": UNITS,
    "raw-kind": RAW_KINDS,
    "target": TARGETS,
    "erased": ERASED,
    "scope": SCOPES,
    "event": EVENTS | {"endpoint.test": _("Test")},
    "delivery-state": DELIVERY_STATES,
    "no-answer": NO_ANSWER,
    "webhook-off": WEBHOOK_OFF,
    "organization-state": ORGANIZATION_STATES,
    "custody": CUSTODY,
    "province": PROVINCES,
    "country": COUNTRIES,
    "flow": FLOWS,
    "data": DATA_CLASSES,
    "keeper": KEEPERS,
    "registry": REGISTRY,
    "reason": REASON_WORDS,
}


def word(code: str, kind: str) -> str:
    """The word for a code, in the reader's language; the code itself, where there is none."""
    return str(WORDS[kind].get(code, code))


def place_in_words(code: str) -> str:
    """Where a place of the registry is; its code, if it is there no more."""
    place = placements().get(code)
    if place is None:
        return code
    site, province = word(place.site, "registry"), word(place.province, "province")
    return f"{site}, {province}, {word(place.country, 'country')}"


def in_words(params: Mapping[str, object]) -> dict[str, str]:
    """An error's parameters; those that are codes or words of ours, in the reader's language."""
    return {name: _in_words(name, value) for name, value in params.items()}


def _in_words(name: str, value: object) -> str:
    if isinstance(value, tuple):  # of reasons
        return "; ".join(word(code, "reason") for code in value)
    if name == "placement":
        return place_in_words(str(value))
    return str(PARAMETERS.get(name, {}).get(str(value), value))
