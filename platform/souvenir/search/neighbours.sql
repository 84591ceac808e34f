-- The passages of some messages, under the filters of the question, as candidates (records.py).
-- Looked up by the message and nothing else, behind OFFSET 0: to statistics that lag behind, a store
-- that has just come has one row, and would be read as a whole.
SELECT {columns}
FROM (
    SELECT p.*, NULL::float8 AS similarity, NULL::float8 AS bm25, NULL::float8 AS nearness,
           0::float8 AS words, row_number() OVER (PARTITION BY p.message_id ORDER BY p.id) AS nth
    FROM (
        SELECT * FROM ingestion_passage
        WHERE tenant_id = %(tenant)s AND message_id = ANY (%(messages)s) OFFSET 0
    ) p WHERE p.store_id = ANY (%(stores)s){condition}
) p
{looked_up}
ORDER BY p.message_id, p.nth
