-- One question, one round trip: exact vectors and BM25 over blind tokens, mixed, with their texts.
-- The tenant stands in every arm: row-level security is the wall, the literal is the plan.
-- Narrowed where asked: passages of another time, source or role are left out of both arms.
--
-- Statistics lag behind: a tenant that has just brought in a long history still looks like one of
-- one row. So whatever is joined by id is joined LATERAL with OFFSET 0: a look-up by the whole key
-- for each row, and never a scan of the tenant for each row.
WITH scope AS MATERIALIZED (
    -- Of large stores as they were counted last: half a million passages take 70 ms to count.
    SELECT sum(passages)::float8 AS passages,
           greatest(sum(terms) / nullif(sum(passages), 0), 1)::float8 AS mean_terms
    FROM (
        SELECT count(*), sum(terms) FROM ingestion_passage
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(common)s)
        UNION ALL
        SELECT passages, terms FROM ingestion_largestore
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
          AND state IN ('serving', 'leaving')
    ) counted (passages, terms)
), dense AS MATERIALIZED (
    -- Of ordinary stores exactly, of large ones by graph: nearest.py.
    SELECT passage_id, -distance AS similarity FROM ({nearest}) n
    ORDER BY distance LIMIT %(candidates)s
), hit AS MATERIALIZED (
    -- While the index key is being changed a term has two tokens, and a passage one of them.
    SELECT a.term AS token, t.passage_id, t.frequency, t.terms
    FROM ingestion_passagetoken t
    JOIN unnest(%(tokens)s::bigint[], %(asked)s::int[]) a (token, term) ON a.token = t.token
    WHERE t.tenant_id = %(tenant)s AND t.store_id = ANY (%(stores)s)
      AND t.token = ANY (%(tokens)s)
), frequency AS MATERIALIZED (
    SELECT token, count(*)::float8 AS passages FROM hit GROUP BY token
), lexical AS MATERIALIZED (
    -- Robertson and Zaragoza 2009: k1 = 1.2, b = 0.75.
    SELECT v.passage_id, sum(
        ln(1 + (s.passages - f.passages + 0.5) / (f.passages + 0.5))
        * v.frequency * 2.2 / (v.frequency + 1.2 * (0.25 + 0.75 * v.terms / s.mean_terms))
    ) AS bm25
    FROM hit v JOIN frequency f ON f.token = v.token CROSS JOIN scope s {narrow}
    GROUP BY v.passage_id ORDER BY bm25 DESC LIMIT %(candidates)s
), candidate AS MATERIALIZED (
    SELECT passage_id FROM dense UNION SELECT passage_id FROM lexical
), scored AS MATERIALIZED (
    SELECT c.passage_id, l.bm25, v.similarity
    FROM candidate c
    LEFT JOIN lexical l ON l.passage_id = c.passage_id
    LEFT JOIN LATERAL (
        SELECT -((embedding <#> %(vector)s::halfvec) + 0) AS similarity
        FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
          AND model = %(model)s AND bucket IN ({buckets}) AND passage_id = c.passage_id OFFSET 0
    ) v ON true
), extent AS MATERIALIZED (
    -- Words are held against a passage that has every term of the question once, not against the
    -- best candidate: one word in common by chance is then worth little, as across languages.
    SELECT min(similarity) AS low, max(similarity) AS high,
           (SELECT sum(ln(1 + (s.passages - coalesce(f.passages, 0) + 0.5)
                           / (coalesce(f.passages, 0) + 0.5)))
            FROM (SELECT DISTINCT unnest(%(asked)s::int[])) asked (token)
            LEFT JOIN frequency f ON f.token = asked.token CROSS JOIN scope s) AS ideal
    FROM scored
), mixed AS MATERIALIZED (
    -- A convex mix: cosines of this model live between 0.7 and 0.9, so they are stretched first.
    SELECT passage_id, similarity, bm25,
           %(dense_weight)s * coalesce((similarity - low) / nullif(high - low, 0), 0)
           + (1 - %(dense_weight)s) * least(1, coalesce(bm25 / nullif(ideal, 0), 0)) AS score
    FROM scored CROSS JOIN extent
    WHERE bm25 IS NOT NULL OR %(dense_weight)s > 0
    ORDER BY score DESC, passage_id LIMIT %(limit)s
), truth AS MATERIALIZED (
    -- What this statement took for granted, as it is: beliefs.py.
    SELECT jsonb_build_object(
        'pending', (SELECT count(*) FROM ingestion_passage
                    WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
                      AND embedded_with = ''),
        'model', (SELECT jsonb_build_object(
                      'number', number, 'name', name, 'dimensions', dimensions)
                  FROM embedding_embeddingmodel WHERE state = 'serving'),
        'own', (SELECT jsonb_object_agg(store_id, bucket) FROM ingestion_largestore
                WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
                  AND state IN ('serving', 'leaving'))
    ) AS told
)
SELECT w.told, x.score, x.similarity, x.bm25,
       p.id, p.conversation_id, p.message_id, p.memory_id, p.block, p.start, p."end",
       p.role, p.provider, p.occurred_at, g.blocks, c.title, n.id, n.text
FROM truth w
LEFT JOIN mixed x ON true
LEFT JOIN LATERAL (
    SELECT * FROM ingestion_passage WHERE tenant_id = %(tenant)s AND id = x.passage_id OFFSET 0
) p ON true
LEFT JOIN LATERAL (
    SELECT blocks FROM memories_message
    WHERE tenant_id = %(tenant)s AND id = p.message_id OFFSET 0
) g ON true
LEFT JOIN LATERAL (
    SELECT title FROM memories_conversation
    WHERE tenant_id = %(tenant)s AND id = p.conversation_id OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT said.id, said.text FROM memories_memory m
    JOIN memories_memoryversion said ON said.tenant_id = m.tenant_id
        AND said.memory_id = m.id AND said.number = m.version
    WHERE m.tenant_id = %(tenant)s AND m.id = p.memory_id OFFSET 0
) n ON true
ORDER BY x.score DESC, p.id
