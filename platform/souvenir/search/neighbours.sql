-- The passages of some messages, under the filters of the question, as candidates (records.py).
SELECT {columns}
FROM (
    SELECT p.*, NULL::float8 AS similarity, NULL::float8 AS bm25, NULL::float8 AS nearness,
           0::float8 AS words, row_number() OVER (PARTITION BY p.message_id ORDER BY p.id) AS nth
    FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.message_id = ANY (%(messages)s)
      AND p.store_id = ANY (%(stores)s){condition}
) p
{looked_up}
ORDER BY p.message_id, p.nth
