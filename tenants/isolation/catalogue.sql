-- What the run-time role could do to cross from one tenant to another, one row each.
-- Parameters: %(control)s, names of the control tables; %(predicate)s, the policy as PostgreSQL prints it.
-- Asked as the run-time role itself, so that current_user is whom it speaks of.
WITH tables AS (
    SELECT c.oid, c.relname AS name, c.relkind AS kind, c.relrowsecurity AS enabled,
           c.relforcerowsecurity AS forced, c.relowner AS owner, c.relispartition AS partition,
           c.reloptions AS options, c.relname = ANY (%(control)s) AS control
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\_toast%%' AND n.nspname NOT LIKE 'pg\_temp%%'
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), mine AS (
    SELECT * FROM tables
    WHERE has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')
), keys AS (
    SELECT con.conrelid AS oid, con.conname AS name, con.contype AS type,
           con.conkey[1] AS first, con.confrelid AS target
    FROM pg_constraint con WHERE con.contype IN ('p', 'u', 'f')
), tenant AS (
    SELECT attrelid AS oid, attnum, attnotnull FROM pg_attribute
    WHERE attname = 'tenant_id' AND atttypid = 'uuid'::regtype
)
SELECT 'role-powerful' AS code, current_user::text AS object FROM pg_roles
 WHERE rolname = current_user
   AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
UNION ALL
SELECT 'role-owns', name FROM tables WHERE pg_has_role(current_user, owner, 'MEMBER')
UNION ALL
SELECT 'role-may-create', nspname FROM pg_namespace
 WHERE nspname NOT LIKE 'pg\_%%' AND has_schema_privilege(oid, 'CREATE')
UNION ALL
SELECT 'role-may-make-temporary-tables', datname FROM pg_database
 WHERE datname = current_database() AND has_database_privilege(oid, 'TEMP')
UNION ALL
SELECT 'table-without-tenant', name FROM mine
 WHERE kind IN ('r', 'p', 'f') AND NOT control AND NOT partition
   AND oid NOT IN (SELECT oid FROM tenant WHERE attnotnull)
UNION ALL
SELECT 'row-security-off', name FROM mine WHERE kind IN ('r', 'p') AND NOT control AND NOT enabled
UNION ALL
SELECT 'row-security-not-forced', name FROM mine WHERE kind IN ('r', 'p') AND NOT control AND NOT forced
UNION ALL
SELECT 'policy-not-exact', m.name FROM mine m
 WHERE kind IN ('r', 'p') AND NOT control
   AND (SELECT count(*) FILTER (
                  WHERE p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}'
                    AND pg_get_expr(p.polqual, p.polrelid) = %(predicate)s
                    AND pg_get_expr(p.polwithcheck, p.polrelid) = %(predicate)s) = 1
               AND count(*) = 1
          FROM pg_policy p WHERE p.polrelid = m.oid) IS NOT TRUE
UNION ALL
SELECT 'partition-reachable', name FROM mine WHERE partition
UNION ALL
SELECT 'foreign-table-reachable', name FROM mine WHERE kind = 'f'
UNION ALL
SELECT 'view-with-owner-s-rights', name FROM mine
 WHERE kind = 'v' AND NOT coalesce('security_invoker=true' = ANY (options), false)
UNION ALL
SELECT 'materialized-view-reachable', name FROM mine WHERE kind = 'm'
UNION ALL
SELECT 'privilege-past-row-security', name FROM tables
 WHERE has_table_privilege(oid, 'TRUNCATE') OR has_table_privilege(oid, 'REFERENCES')
    OR has_table_privilege(oid, 'TRIGGER') OR has_table_privilege(oid, 'MAINTAIN')
UNION ALL
SELECT 'key-without-tenant', k.name FROM keys k JOIN mine m ON m.oid = k.oid
  LEFT JOIN tenant t ON t.oid = k.oid
 WHERE NOT m.control AND k.first IS DISTINCT FROM t.attnum
UNION ALL
SELECT 'unique-index-without-tenant', i.indexrelid::regclass::text
  FROM pg_index i JOIN mine m ON m.oid = i.indrelid LEFT JOIN tenant t ON t.oid = i.indrelid
 WHERE NOT m.control AND i.indisunique AND i.indkey[0] IS DISTINCT FROM t.attnum
UNION ALL
SELECT 'no-primary-key', name FROM mine m
 WHERE kind IN ('r', 'p') AND NOT EXISTS (SELECT 1 FROM keys k WHERE k.oid = m.oid AND k.type = 'p')
UNION ALL
SELECT 'trigger-on-tenant-table', tgname FROM pg_trigger g JOIN mine m ON m.oid = g.tgrelid
 WHERE NOT g.tgisinternal AND NOT m.control
UNION ALL
SELECT 'function-with-owner-s-rights', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND has_function_privilege(p.oid, 'EXECUTE')
UNION ALL
SELECT 'default-privileges', pg_get_userbyid(d.defaclrole) FROM pg_default_acl d
ORDER BY 1, 2
