"""Conversations that are a list: which message comes after which."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from souvenir.portability.documents import JsonObject
from souvenir.portability.notices import NoticeLog
from souvenir.portability.tree import Arranged, Link


def in_time(ids: Sequence[str], times: Mapping[str, datetime], log: NoticeLog) -> list[str]:
    """`ids` by their times, equals as they stand; as they stand if one has no time.

    Real exports of 2024 list answers apart from their questions, in no order, and give both the
    same time: so the order of the list decides only among equals.
    """
    if any(message_id not in times for message_id in ids):
        return list(ids)
    ordered = sorted(ids, key=times.__getitem__)
    if ordered != list(ids):
        log.add("order-by-time")
    return ordered


def chain(ids: Sequence[str]) -> dict[str, Link]:
    """Each message answers the one before it."""
    links = {message_id: Link(None) for message_id in ids[:1]}
    for before, after in pairwise(ids):
        links[after] = Link(before)
    return links


def array_order(listed: Sequence[str], tree: Arranged) -> JsonObject:
    """The order in which the source lists the messages, for `extra`, where it is another."""
    return {} if tuple(listed) == tree.order else {"array_order": list(listed)}
