-- The passages of some messages, under the filters of the question, as candidates (hybrid.sql).
SELECT p.id, NULL::float8, NULL::float8, NULL::float8, 0::float8,
       p.conversation_id, p.message_id, p.memory_id, p.block, p.start, p."end",
       p.kind, p.language, p.trust, p.role, p.provider, p.occurred_at, p.past_version,
       g.blocks, c.title, NULL::uuid, NULL::bytea
FROM (
    SELECT p.*, row_number() OVER (PARTITION BY p.message_id ORDER BY p.id) AS nth
    FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.message_id = ANY (%(messages)s)
      AND p.store_id = ANY (%(stores)s){condition}
) p
LEFT JOIN LATERAL (
    SELECT blocks FROM memories_message
    WHERE tenant_id = %(tenant)s AND id = p.message_id AND p.nth = 1 OFFSET 0
) g ON true
LEFT JOIN LATERAL (
    SELECT title FROM memories_conversation
    WHERE tenant_id = %(tenant)s AND id = p.conversation_id OFFSET 0
) c ON true
ORDER BY p.message_id, p.nth
