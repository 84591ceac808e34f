"""Arranges messages that name their parents into a tree, whatever the names say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_NO_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Link:
    """One node of the source: whom it answers, and whether it carries a message."""

    parent: str | None  # None: it says that it is a root
    carries_message: bool = True


@dataclass(frozen=True, slots=True)
class Arranged:
    """Where each message stands."""

    order: tuple[str, ...]  # ids of the nodes with messages, each parent before its children
    parents: dict[str, str | None]  # of those: the nearest ancestor that carries a message
    empty: dict[str, str | None]  # of the other nodes: the same
    orphans: tuple[str, ...]  # nodes whose parent is not there; now roots
    cut: tuple[str, ...]  # nodes at which a circle was cut; now roots

    def nearest(self, node: str) -> str | None:
        """`node` if it carries a message, else its nearest ancestor that does."""
        return node if node in self.parents else self.empty.get(node)


def arrange(links: Mapping[str, Link], times: Mapping[str, datetime]) -> Arranged:
    """Order `links` as a tree: siblings by time, then as the source has them, untimed ones last.

    Args:
        links: every node by its id, in the order of the source.
        times: of the nodes whose time is known.
    """
    orphans = tuple(
        node for node, link in links.items() if link.parent is not None and link.parent not in links
    )
    parents = {node: link.parent if link.parent in links else None for node, link in links.items()}
    cut = _cut_circles(parents)
    nearest = _nearest_with_message(links, parents)
    with_message = {node: nearest[node] for node in links if links[node].carries_message}
    return Arranged(
        order=_ordered(with_message, times),
        parents=with_message,
        empty={node: nearest[node] for node in links if not links[node].carries_message},
        orphans=orphans,
        cut=cut,
    )


def newest_leaf(
    order: Sequence[str], parents: Mapping[str, str | None], times: Mapping[str, datetime]
) -> str | None:
    """The leaf of the latest time, the last in order among equals; None for an empty tree."""
    inner = set(parents.values())
    leaves = [
        (times.get(node), place, node) for place, node in enumerate(order) if node not in inner
    ]
    beginning = datetime.min.replace(tzinfo=UTC)
    return max(leaves, key=lambda leaf: (leaf[0] or beginning, leaf[1]), default=(None, 0, None))[2]


def _cut_circles(parents: dict[str, str | None]) -> tuple[str, ...]:
    """Make a root of the first node, in the order of the source, of every circle in `parents`."""
    place = {node: index for index, node in enumerate(parents)}
    settled: set[str] = set()
    cut = []
    for start in list(parents):
        path: dict[str, None] = {}
        node: str | None = start
        while node is not None and node not in settled and node not in path:
            path[node] = None
            node = parents[node]
        if node is not None and node in path:
            steps = list(path)
            first = min(steps[steps.index(node) :], key=place.__getitem__)
            parents[first] = None
            cut.append(first)
        settled.update(path)
    return tuple(cut)


def _nearest_with_message(
    links: Mapping[str, Link], parents: Mapping[str, str | None]
) -> dict[str, str | None]:
    """For each node, its nearest ancestor that carries a message."""
    nearest: dict[str, str | None] = {}
    for start in parents:
        path = [start]
        while (parent := parents[path[-1]]) is not None:
            if parent in nearest or links[parent].carries_message:
                break
            path.append(parent)
        if parent is not None and not links[parent].carries_message:
            parent = nearest[parent]
        nearest.update(dict.fromkeys(path, parent))
    return nearest


def _ordered(parents: Mapping[str, str | None], times: Mapping[str, datetime]) -> tuple[str, ...]:
    children: defaultdict[str | None, list[str]] = defaultdict(list)
    for node, parent in parents.items():
        children[parent].append(node)

    def latest_first(siblings: list[str]) -> list[str]:
        return sorted(siblings, key=lambda node: times.get(node, _NO_TIME))[::-1]

    order: list[str] = []
    waiting = latest_first(children[None])
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(latest_first(children[node]))
    return tuple(order)
