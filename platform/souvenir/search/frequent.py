"""SQL for the words of a question: all of them, but for what most of a large store has.

To read where a word stands takes time with the passages that have it, and a word that many have
tells little of which one answers. In an ordinary store even that is had for next to nothing, and
every word counts; in a large one it would take most of a second.
"""

LEAST, SHARE = 20_000, 0.05  # passages, and share of them: a word in more is left out
_ALL = """
    SELECT * FROM unnest(%(tokens)s::bigint[], %(asked)s::int[], %(weights)s::float8[])
        a (token, term, weight)"""
# Counted no further than to where it is known: an index is read, in its order.
_RARE = """
    WITH counted AS MATERIALIZED (
        -- A word may have two tokens: it is left out if either is frequent.
        SELECT a.*, bool_and((SELECT count(*) FROM (
            SELECT FROM ingestion_passagetoken t
            WHERE t.tenant_id = %(tenant)s AND t.store_id = ANY (%(stores)s)
              AND t.token = a.token LIMIT (SELECT too_many FROM scope)
        ) found) < (SELECT too_many FROM scope)) OVER (PARTITION BY a.term) AS is_rare
        FROM ({all}) a
    )
    SELECT token, term, weight FROM counted WHERE is_rare{or_none}"""
# Where only words are compared, a question of frequent words alone is answered all the same.
_OR_NONE = " OR NOT EXISTS (SELECT FROM counted WHERE is_rare)"


def words_asked(*, is_large: bool, by_meaning: bool) -> str:
    """The statement: token, number of its word, weight."""
    if not is_large:
        return _ALL
    return _RARE.format(all=_ALL, or_none="" if by_meaning else _OR_NONE)
