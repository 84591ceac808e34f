-- Organizations that have jobs to ring in a queue, with what each has in hand; longest waiting first.
-- Parameters: %(queue)s; %(now)s; %(room)s, jobs counted at most; %(stopped)s, kinds that are not
-- rung; %(at_once)s, where the allowance says nothing; %(short)s and %(long)s, seconds expected of a
-- job in hand. Who has had no turn yet starts with a whole round’s credit, or those who had one would
-- save theirs up meanwhile and always come first. Finds organizations by skipping through the index: 100,000 waiting jobs cost nothing.
WITH RECURSIVE found AS (
    (SELECT organization_id FROM tenants_ring
      WHERE queue = %(queue)s AND state = 'waiting' ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.organization_id FROM tenants_ring r
             WHERE r.queue = %(queue)s AND r.state = 'waiting'
               AND r.organization_id > f.organization_id
             ORDER BY r.organization_id LIMIT 1)
      FROM found f WHERE f.organization_id IS NOT NULL
), in_hand AS (
    SELECT organization_id, count(*) AS jobs,
           sum(CASE WHEN turns > 0 THEN %(long)s ELSE %(short)s END) AS seconds
      FROM tenants_ring WHERE queue = %(queue)s AND state IN ('rung', 'running')
     GROUP BY organization_id
)
SELECT f.organization_id, head.jobs,
       coalesce(h.jobs, 0), coalesce(h.seconds, 0)::float8,
       coalesce(a.weight, 1), coalesce(a.jobs_at_once, %(at_once)s), coalesce(a.credit_seconds, %(long)s)
  FROM found f
 CROSS JOIN LATERAL (
       SELECT count(*) AS jobs, min(due_at) AS first FROM (
           SELECT due_at FROM tenants_ring r
            WHERE r.queue = %(queue)s AND r.state = 'waiting'
              AND r.organization_id = f.organization_id
              AND r.due_at <= %(now)s AND r.kind <> ALL (%(stopped)s)
            ORDER BY due_at LIMIT %(room)s) AS due
       ) AS head
  LEFT JOIN tenants_allowance a ON a.organization_id = f.organization_id
  LEFT JOIN in_hand h ON h.organization_id = f.organization_id
 WHERE head.jobs > 0 AND NOT coalesce(a.paused, false)
 ORDER BY head.first
