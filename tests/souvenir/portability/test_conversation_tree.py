"""Whatever the parents say, what comes out is a tree of all the messages, parents first."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from souvenir.portability.tree import Link, arrange, newest_leaf

NODES = st.sampled_from("abcdefgh")
LINKS = st.dictionaries(
    NODES,
    st.builds(Link, parent=st.none() | NODES | st.just("gone"), carries_message=st.booleans()),
)
TIMES = st.dictionaries(NODES, st.integers(0, 5).map(lambda s: datetime.fromtimestamp(s, UTC)))


@given(LINKS, TIMES)
def test_every_message_stands_once_and_after_its_parent(
    links: dict[str, Link], times: dict[str, datetime]
) -> None:
    tree = arrange(links, times)

    assert sorted(tree.order) == sorted(node for node in links if links[node].carries_message)
    for place, node in enumerate(tree.order):
        parent = tree.parents[node]
        assert parent is None or parent in tree.order[:place]


@given(LINKS)
def test_links_are_kept_where_nothing_is_wrong_with_them(links: dict[str, Link]) -> None:
    tree = arrange(links, {})

    for node, link in links.items():
        is_sound = node not in tree.cut and link.parent in links
        if is_sound and link.carries_message and links[str(link.parent)].carries_message:
            assert tree.parents[node] == link.parent


@given(LINKS, TIMES)
def test_the_newest_leaf_is_a_leaf_and_none_is_newer(
    links: dict[str, Link], times: dict[str, datetime]
) -> None:
    tree = arrange(links, times)

    leaf = newest_leaf(tree.order, tree.parents, times)

    leaves = set(tree.order) - set(tree.parents.values())
    assert leaf in leaves or (leaf is None and not leaves)
    if leaf:
        timed = [times[node] for node in leaves if node in times]
        assert not timed or times[leaf] == max(timed)


def test_a_circle_is_cut_at_the_first_message_of_the_source() -> None:
    links = {"b": Link("a"), "a": Link("c"), "c": Link("b")}

    tree = arrange(links, {})

    assert tree.cut == ("b",)
    assert tree.parents == {"b": None, "a": "c", "c": "b"}


def test_siblings_come_by_time_and_untimed_ones_last() -> None:
    links = {"x": Link(None), **{node: Link("x") for node in "cab"}}
    times = {node: datetime(2025, 1, day, tzinfo=UTC) for day, node in enumerate("ab", 1)}

    assert arrange(links, times).order == ("x", "a", "b", "c")


def test_a_line_of_a_hundred_thousand_messages_is_no_problem() -> None:
    links = {str(n): Link(str(n - 1) if n else None) for n in range(100_000)}

    assert arrange(links, {}).order[-1] == "99999"
