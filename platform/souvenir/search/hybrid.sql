-- One question, one round trip: exact vectors and BM25 over blind tokens, and of what either finds
-- the best, with their texts. Ranked in the end by ranking.py, which sees what SQL cannot.
-- The tenant stands in every arm: row-level security is the wall, the literal is the plan.
-- Narrowed where asked: passages of another time, source or role are left out of both arms.
-- narrowing.py says how.
--
-- Statistics lag behind: a tenant that has just brought in a long history still looks like one of
-- one row. So whatever is joined by id is joined LATERAL with OFFSET 0: a look-up by the whole key
-- for each row, and never a scan of the tenant for each row.
WITH {before}large AS MATERIALIZED (
    SELECT store_id, bucket, passages, terms FROM ingestion_largestore
    WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
      AND state IN ('serving', 'leaving')
), scope AS MATERIALIZED (
    -- Of large stores as they were counted last: half a million passages take 70 ms to count.
    -- too_many: have a word that is not looked for there (frequent.py).
    SELECT sum(passages)::float8 AS passages,
           greatest(sum(terms) / nullif(sum(passages), 0), 1)::float8 AS mean_terms,
           greatest(%(frequent)s, %(frequent_share)s * sum(passages))::bigint AS too_many
    FROM (
        SELECT count(*), sum(terms) FROM ingestion_passage
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(common)s) AND past_version = 0
        UNION ALL
        SELECT passages, terms FROM large
    ) counted (passages, terms)
), dense AS MATERIALIZED (
    -- Of ordinary stores exactly, of large ones by graph: nearest.py.
    SELECT passage_id, -distance AS similarity FROM ({nearest}) n
    ORDER BY distance LIMIT %(candidates)s
), asked AS MATERIALIZED (
    -- What is looked for: token, number of its word, weight. frequent.py.
    {asked}
), hit AS MATERIALIZED (
    -- While the index key is being changed a term has two tokens, and a passage one of them.
    -- Frequencies are in quarters (ingestion/searchable.py).
    -- A word whose language is not known has two as well, and a passage may have both: then they
    -- are merged.
    SELECT a.term, a.weight, t.passage_id, {most}(t.frequency) / 4.0::float8 AS frequency,
           {most}(t.terms) AS terms
    FROM ingestion_passagetoken t JOIN asked a ON a.token = t.token
    WHERE t.tenant_id = %(tenant)s AND t.store_id = ANY (%(stores)s)
      AND t.token = ANY ({tokens}) {merged}
), frequency AS MATERIALIZED (
    SELECT term, count(*)::float8 AS passages FROM hit GROUP BY term
), lexical AS MATERIALIZED (
    -- Robertson and Zaragoza 2009, with k1 = 0.5 and b = 0.4: in short texts a second mention says
    -- little (docs/benchmarks.md).
    SELECT v.passage_id, v.bm25 FROM (
        SELECT v.passage_id, sum(
            v.weight * ln(1 + (s.passages - f.passages + 0.5) / (f.passages + 0.5))
            * v.frequency * 1.5 / (v.frequency + 0.5 * (0.6 + 0.4 * v.terms / s.mean_terms))
        ) AS bm25
        FROM hit v JOIN frequency f ON f.term = v.term CROSS JOIN scope s {among}
        GROUP BY v.passage_id ORDER BY bm25 DESC
    ) v {by_key} ORDER BY v.bm25 DESC LIMIT %(candidates)s
), candidate AS MATERIALIZED (
    SELECT passage_id, max(bm25) AS bm25, max(similarity) AS similarity FROM (
        SELECT passage_id, NULL::float8 AS bm25, similarity FROM dense
        UNION ALL SELECT passage_id, bm25, NULL FROM lexical {more}
    ) c GROUP BY passage_id
), scored AS MATERIALIZED (
    {scored}
), ideal AS MATERIALIZED (
    -- Words are held against a passage that has every term of the question once, not against the
    -- best candidate: one word in common by chance is then worth little, as across languages.
    -- What must be found as it is written (weight below 1) comes on top of that.
    SELECT sum(ln(1 + (s.passages - coalesce(f.passages, 0) + 0.5)
                      / (coalesce(f.passages, 0) + 0.5))) AS bm25
    FROM (SELECT DISTINCT term FROM asked WHERE weight = 1) a
    LEFT JOIN frequency f ON f.term = a.term CROSS JOIN scope s
), weighed AS MATERIALIZED (
    -- Both between 0 and 1. Each model has its own cosines for “unrelated” and “the same”.
    -- Not embedded yet is NULL, of which greatest() would make 0: as far as can be.
    SELECT x.passage_id, x.similarity, x.bm25,
           CASE WHEN x.similarity IS NOT NULL THEN
               least(1, greatest(0, (x.similarity - %(unrelated)s) / (%(same)s - %(unrelated)s)))
           END AS nearness,
           least(1, coalesce(x.bm25 / nullif(i.bm25, 0), 0)) AS words
    FROM scored x CROSS JOIN ideal i
    WHERE x.bm25 IS NOT NULL OR %(dense_weight)s > 0
), pool AS MATERIALIZED (
    -- Enough of them that nothing is lost to what ranking.py decides. The highest score that each
    -- can get there by itself decides who is in: conversations lift only what is in the pool, and the
    -- prior for what is recent (priors.py) may be the same for all. Who is of the time that is asked
    -- about is looked up.
    SELECT w.*, %(dense_weight)s * coalesce(nearness ^ 3, words)
              + (1 - %(dense_weight)s)
                * greatest(words, coalesce(least(nearness - 0.15, 10 * (nearness - 0.35)), 0))
              {timely_share} AS bound
    FROM weighed w {dated} ORDER BY bound DESC, passage_id LIMIT %(pool)s
), truth AS MATERIALIZED (
    -- What this statement took for granted, as it is: beliefs.py.
    SELECT jsonb_build_object(
        'pending', (SELECT count(*) FROM ingestion_passage
                    WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
                      AND embedded_with = ''),
        'model', (SELECT jsonb_build_object(
                      'number', number, 'name', name, 'dimensions', dimensions)
                  FROM embedding_embeddingmodel WHERE state = 'serving'),
        'own', (SELECT jsonb_object_agg(store_id, bucket) FROM large)
    ) AS told
), placed AS MATERIALIZED (
    SELECT x.similarity, x.bm25, x.nearness, x.words, x.bound, p.*,
           row_number() OVER (PARTITION BY p.message_id ORDER BY x.bound DESC, p.id) AS nth
    FROM pool x CROSS JOIN LATERAL (
        -- The past is not under the stores that a plain question names; asked once more, it costs
        -- nothing.
        SELECT * FROM ingestion_passage
        WHERE tenant_id = %(tenant)s AND id = x.passage_id
          AND (past_version = 0 OR %(looks_back)s) OFFSET 0
    ) p
)
SELECT w.told, p.id IS NOT NULL, {columns}
FROM truth w
LEFT JOIN placed p ON true
{looked_up}
ORDER BY p.bound DESC, p.id
