-- What the roles beside the run-time role hold that nobody declared, one row each: (code, object).
-- Asked as the run-time role, together with catalogue.sql. Parameters: %(services)s, names of those
-- roles; %(sweeper)s, the one of them that is past row-level security; %(declared)s, JSON, what each
-- may hold on tables without a tenant, as `role|table|privilege` or `role|table.column|privilege`.
WITH services AS (
    SELECT * FROM pg_roles WHERE rolname = ANY (%(services)s)
), tables AS (
    SELECT c.oid, c.relowner AS owner, c.relacl AS acl, c.relispartition AS partition,
           -- What is declared of a table holds for its partitions.
           CASE WHEN c.relispartition AND c.relkind IN ('r', 'p')
                THEN pg_partition_root(c.oid)::regclass::text END AS root,
           CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name,
           c.relkind IN ('r', 'p') AND NOT c.relispartition AND EXISTS (
               SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id'
                                            AND NOT t.attisdropped) AS of_tenants
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid >= 16384
), grants AS (
    SELECT t.name, coalesce(t.root, t.name) AS whole, t.of_tenants, NULL::smallint AS part, t.oid, a.*
      FROM tables t CROSS JOIN aclexplode(t.acl) a WHERE a.grantee <> t.owner
    UNION ALL
    SELECT t.name || '.' || c.attname, t.name, t.of_tenants, c.attnum, t.oid, a.*
      FROM tables t JOIN pg_attribute c ON c.attrelid = t.oid CROSS JOIN aclexplode(c.attacl) a
     WHERE a.grantee <> t.owner
), held AS (
    SELECT g.*, s.rolname AS holder,
           -- An id, a time, a number, a state: what is no content of people's.
           g.of_tenants AND g.privilege_type = 'SELECT' AND s.rolname = %(sweeper)s AS to_be_seen,
           EXISTS (SELECT FROM pg_attribute c JOIN pg_type y ON y.oid = c.atttypid
                    WHERE c.attrelid = g.oid AND c.attnum = g.part
                      AND y.typname = ANY (%(shown_types)s)
                      AND col_description(g.oid, g.part) IS DISTINCT FROM 'content') AS harmless
      FROM grants g JOIN services s ON s.oid = g.grantee
), findings (code, object) AS (
    SELECT 'service-role-powerful', rolname::text FROM services
     WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
        OR (rolbypassrls AND rolname <> %(sweeper)s)
    UNION ALL
    SELECT 'service-role-is-member', s.rolname || ' of ' || pg_get_userbyid(m.roleid)
      FROM pg_auth_members m JOIN services s ON s.oid = m.member
    UNION ALL
    -- Whoever makes a role holds it to hand it on; the owner gains nothing by that.
    SELECT 'service-role-lent', s.rolname || ' to ' || pg_get_userbyid(m.member)
      FROM pg_auth_members m JOIN services s ON s.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
     WHERE NOT r.rolsuper AND (m.inherit_option OR m.set_option OR r.rolname <> %(owner)s)
    UNION ALL
    SELECT 'service-role-owns', s.rolname || ': ' || regexp_replace(o.identity, '^public\.', '')
      FROM pg_shdepend d JOIN services s ON s.oid = d.refobjid
      JOIN pg_database b ON b.datname = current_database() AND d.dbid IN (0, b.oid)
      CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) o
     WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
    UNION ALL
    SELECT 'service-role-setting', s.rolname || ': ' || split_part(line, '=', 1)
      FROM pg_db_role_setting d JOIN services s ON s.oid = d.setrole
      JOIN pg_database b ON b.datname = current_database() AND d.setdatabase IN (0, b.oid)
      CROSS JOIN unnest(d.setconfig) AS line
     WHERE line LIKE 'app.%%' OR lower(split_part(line, '=', 1)) IN (
           'search_path', 'session_replication_role', 'role', 'session_authorization',
           'session_preload_libraries', 'local_preload_libraries')
    UNION ALL
    SELECT 'service-role-setting', s.rolname || ': ' || p.parname FROM pg_parameter_acl p, services s
     WHERE has_parameter_privilege(s.oid, p.parname, 'SET')
        OR has_parameter_privilege(s.oid, p.parname, 'ALTER SYSTEM')

    -- What it holds
    UNION ALL
    SELECT 'sweeper-reads-content', name FROM held WHERE to_be_seen AND NOT harmless
    UNION ALL
    SELECT 'service-role-privilege', name || ': ' || privilege_type || ' to ' || holder FROM held
     WHERE NOT to_be_seen
       AND NOT %(declared)s::jsonb ? concat_ws('|', holder, name, privilege_type)
       AND NOT %(declared)s::jsonb ? concat_ws('|', holder, whole, privilege_type)
    UNION ALL
    SELECT 'service-role-privilege', name || ': GRANT OPTION to ' || holder FROM held
     WHERE is_grantable
    UNION ALL
    SELECT 'service-role-privilege', n.nspname || ': ' || a.privilege_type || ' to ' || s.rolname
      FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a JOIN services s ON s.oid = a.grantee
     WHERE a.is_grantable OR a.privilege_type <> 'USAGE' OR n.nspname <> 'public'
    UNION ALL
    SELECT 'service-role-privilege', b.datname || ': ' || a.privilege_type || ' to ' || s.rolname
      FROM pg_database b CROSS JOIN aclexplode(b.datacl) a JOIN services s ON s.oid = a.grantee
     WHERE b.datname = current_database() AND (a.is_grantable OR a.privilege_type <> 'CONNECT')
    UNION ALL
    SELECT 'service-role-privilege', p.oid::regprocedure || ': EXECUTE to ' || s.rolname
      FROM pg_proc p CROSS JOIN aclexplode(p.proacl) a JOIN services s ON s.oid = a.grantee
     WHERE a.is_grantable
        OR NOT %(declared)s::jsonb ? concat_ws('|', s.rolname, p.oid::regprocedure, a.privilege_type)
    UNION ALL
    SELECT 'service-role-privilege', c.relname || ': ' || a.privilege_type || ' to ' || s.rolname
      FROM pg_class c CROSS JOIN aclexplode(c.relacl) a JOIN services s ON s.oid = a.grantee
     WHERE c.oid < 16384
    UNION ALL
    SELECT 'service-role-privilege',
           c.attrelid::regclass || '.' || c.attname || ': ' || a.privilege_type || ' to ' || s.rolname
      FROM pg_attribute c CROSS JOIN aclexplode(c.attacl) a JOIN services s ON s.oid = a.grantee
     WHERE c.attrelid < 16384
)
SELECT DISTINCT code, object FROM findings ORDER BY 1, 2
