-- What the run-time role could do to cross from one tenant to another, one row each: (code, object).
-- Asked as that role itself, so that current_user is whom it speaks of. Every code has its remedy in
-- catalogue.py, and a planted hole of its own in tests/tenants/planted/.
-- Parameters: %(control)s, JSON, table without tenant → privileges the role may hold on it;
-- %(extensions)s, names of extensions; %(predicate)s, the policy as PostgreSQL prints it;
-- %(audit_log)s, JSON, the policies of the audit log; %(services)s, names of the roles that services.sql asks about.
WITH RECURSIVE me AS (
    SELECT * FROM pg_roles WHERE rolname = current_user
), memberships AS (
    SELECT m.roleid FROM pg_auth_members m JOIN me ON m.member = me.oid
    UNION
    SELECT m.roleid FROM pg_auth_members m JOIN memberships s ON m.member = s.roleid
), extended AS (
    -- What comes with an extension on the list is not ours to keep in order.
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid
     WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
       AND e.extname = ANY (%(extensions)s)
), relations AS MATERIALIZED (
    SELECT c.oid, c.relkind AS kind, c.relispartition AS partition, c.relowner AS owner,
           c.relacl AS acl, c.reloptions AS options, c.relpersistence AS persistence,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name,
           CASE n.nspname WHEN 'public' THEN %(control)s::jsonb -> c.relname::text END AS control,
           t.attnum AS tenant, t.atttypid = 'uuid'::regtype AND t.attnotnull AS tenant_always,
           CASE c.relkind
               WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE')
               ELSE has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER, MAINTAIN')
                    OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
           END AS reachable
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute t
        ON t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped
     -- Numbers below 16384 are PostgreSQL's own; a schema's name would not tell for sure.
     WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND n.nspname NOT LIKE 'pg\_temp%%'
       AND NOT EXISTS (
           SELECT FROM extended WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), tenant_tables AS (
    SELECT * FROM relations
     WHERE kind IN ('r', 'p') AND NOT partition AND control IS NULL
       AND (tenant IS NOT NULL OR reachable)
), walled AS (
    -- A partition inherits neither policies nor statistics targets: each must have its own.
    SELECT r.*, NULL::oid AS root FROM relations r WHERE r.oid IN (SELECT oid FROM tenant_tables)
    UNION ALL
    SELECT r.*, t.oid FROM relations r JOIN tenant_tables t ON t.oid = pg_partition_root(r.oid)
     WHERE r.partition
), grants AS (
    -- What the roles beside the run-time role hold is services.sql's.
    SELECT r.name, a.grantee, a.is_grantable FROM relations r CROSS JOIN aclexplode(r.acl) a
     WHERE a.grantee <> r.owner
    UNION ALL
    SELECT r.name || '.' || c.attname, a.grantee, a.is_grantable
      FROM relations r JOIN pg_attribute c ON c.attrelid = r.oid CROSS JOIN aclexplode(c.attacl) a
     WHERE a.grantee <> r.owner
), keys AS (
    SELECT con.*, t.tenant AS source_tenant, f.tenant AS target_tenant
      FROM pg_constraint con
      LEFT JOIN walled t ON t.oid = con.conrelid
      LEFT JOIN walled f ON f.oid = con.confrelid
     WHERE con.contype IN ('p', 'u', 'f', 'x') AND (t.oid IS NOT NULL OR f.oid IS NOT NULL)
), content AS (
    -- Bytes and vectors are content; other columns are where IsolateTenantTable says so. Bytes that
    -- are marked as a digest say nothing without a key: they may be looked up by.
    SELECT t.oid, t.name || '.' || a.attname AS name, a.attnum, a.attstattarget, y.typname
      FROM walled t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
      JOIN pg_type y ON y.oid = a.atttypid
     WHERE y.typname IN ('bytea', 'vector', 'halfvec', 'sparsevec')
        OR EXISTS (SELECT FROM pg_description d JOIN pg_attribute m
                       ON m.attrelid = d.objoid AND m.attnum = d.objsubid
                    WHERE d.classoid = 'pg_class'::regclass AND d.objoid IN (t.oid, t.root)
                      AND m.attname = a.attname AND d.description = 'content')
), functions AS (
    SELECT p.*, p.oid::regprocedure::text AS name FROM pg_proc p
     WHERE p.oid >= 16384 AND NOT EXISTS (
           SELECT FROM extended WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
), system_objects AS (
    SELECT 'pg_class'::regclass AS class, oid, 0 AS part, relacl AS acl, relname::text AS name
      FROM pg_class
     WHERE oid < 16384 AND relacl IS NOT NULL AND relnamespace = 'pg_catalog'::regnamespace
    UNION ALL
    SELECT 'pg_class'::regclass, attrelid, attnum, attacl, attrelid::regclass || '.' || attname
      FROM pg_attribute
     WHERE attrelid < 16384 AND attacl IS NOT NULL
    UNION ALL
    -- A function without this record was everyone's from the start.
    SELECT i.classoid, p.oid, 0, proacl, p.oid::regprocedure::text
      FROM pg_proc p JOIN pg_init_privs i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass
     WHERE p.oid < 16384
), findings (code, object) AS (

    -- The role itself
    SELECT 'role-superuser', rolname::text FROM me WHERE rolsuper
    UNION ALL
    SELECT 'role-past-row-security', rolname::text FROM me WHERE rolbypassrls
    UNION ALL
    SELECT 'role-powerful', rolname::text FROM me
     WHERE rolcreaterole OR rolcreatedb OR rolreplication
    UNION ALL
    SELECT 'role-is-member', pg_get_userbyid(roleid) FROM memberships
    UNION ALL
    SELECT 'role-owns', regexp_replace(o.identity, '^public\.', '')
      FROM pg_shdepend s JOIN me ON me.oid = s.refobjid
      JOIN pg_database b ON b.datname = current_database() AND s.dbid IN (0, b.oid)
      CROSS JOIN pg_identify_object(s.classid, s.objid, s.objsubid) o
     WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
    UNION ALL
    SELECT 'role-may-create', nspname::text FROM pg_namespace
     WHERE nspname NOT LIKE 'pg\_temp%%' AND has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 'role-may-create', datname::text FROM pg_database
     WHERE datname = current_database() AND has_database_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 'role-may-make-temporary-tables', datname::text FROM pg_database
     WHERE datname = current_database() AND has_database_privilege(oid, 'TEMP')
    UNION ALL
    SELECT 'role-may-set-parameter', parname FROM pg_parameter_acl
     WHERE has_parameter_privilege(parname, 'SET') OR has_parameter_privilege(parname, 'ALTER SYSTEM')
    UNION ALL
    SELECT 'role-setting', CASE s.setrole WHEN 0 THEN 'every role' ELSE me.rolname END || ': ' || g.name
      FROM pg_db_role_setting s JOIN me ON s.setrole IN (0, me.oid)
      JOIN pg_database b ON b.datname = current_database() AND s.setdatabase IN (0, b.oid)
      CROSS JOIN unnest(s.setconfig) AS line CROSS JOIN split_part(line, '=', 1) AS g (name)
     WHERE g.name LIKE 'app.%%' OR lower(g.name) IN (
           'row_security', 'search_path', 'session_replication_role', 'role',
           'session_authorization', 'session_preload_libraries', 'local_preload_libraries')
    UNION ALL
    SELECT 'session-setting', s.name FROM pg_settings s
     WHERE (s.name = 'row_security' AND s.setting <> 'on')
        OR (s.name = 'session_replication_role' AND s.setting <> 'origin')
        OR (s.name = 'search_path' AND s.setting NOT IN ('"$user", public', 'public'))

    -- Row-level security
    UNION ALL
    SELECT 'table-without-tenant', name FROM relations
     WHERE kind IN ('r', 'p', 'f') AND NOT partition AND control IS NULL
       AND (reachable OR tenant IS NOT NULL) AND tenant_always IS NOT TRUE
    UNION ALL
    SELECT 'row-security-off', name FROM walled WHERE NOT enabled
    UNION ALL
    SELECT 'row-security-not-forced', name FROM walled WHERE NOT forced
    UNION ALL
    SELECT 'policy-not-exact', t.name FROM walled t
     WHERE (SELECT count(*) = 1 AND bool_and(
                       p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}'
                       AND pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM %(predicate)s
                       AND pg_get_expr(p.polwithcheck, p.polrelid) IS NOT DISTINCT FROM %(predicate)s)
              FROM pg_policy p WHERE p.polrelid = t.oid) IS NOT TRUE
    UNION ALL
    -- The same words can mean another function, operator or cast. PostgreSQL's own leave no trace
    -- here; whatever does is not what the words say.
    SELECT 'policy-not-exact', t.name FROM walled t JOIN pg_policy p ON p.polrelid = t.oid
      JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
     WHERE d.refclassid <> 'pg_class'::regclass OR d.refobjid <> t.oid
    UNION ALL
    -- No tenant's table, but each organization sees its own rows of it: two policies, exactly.
    SELECT 'audit-log-open', r.name FROM relations r
     WHERE r.name = 'audit_entry' AND NOT (
           r.enabled AND r.forced AND %(audit_log)s::jsonb IS NOT DISTINCT FROM (
               SELECT jsonb_agg(jsonb_build_array(
                          p.polcmd::text, p.polpermissive AND p.polroles = '{0}',
                          pg_get_expr(p.polqual, p.polrelid),
                          pg_get_expr(p.polwithcheck, p.polrelid)) ORDER BY p.polcmd, p.polname)
                 FROM pg_policy p WHERE p.polrelid = r.oid))
    UNION ALL
    SELECT 'owner-past-row-security', r.name FROM relations r JOIN pg_roles o ON o.oid = r.owner
     WHERE o.rolsuper OR o.rolbypassrls

    -- Privileges
    UNION ALL
    SELECT CASE p WHEN 'TRUNCATE' THEN 'role-may-truncate' ELSE 'privilege-past-row-security' END,
           name || CASE p WHEN 'TRUNCATE' THEN '' ELSE ': ' || p END
      FROM relations CROSS JOIN unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS p
     WHERE kind <> 'S' AND CASE p WHEN 'REFERENCES' THEN has_any_column_privilege(oid, p)
                                  ELSE has_table_privilege(oid, p) END
    UNION ALL
    SELECT 'control-table-privilege', r.name || ': ' || p FROM relations r
      CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
     WHERE r.control IS NOT NULL AND NOT r.control ? p
       AND CASE p WHEN 'DELETE' THEN has_table_privilege(r.oid, p)
                  ELSE has_any_column_privilege(r.oid, p) END
    UNION ALL
    SELECT 'granted-to-others', g.name || ' to ' || coalesce(o.rolname, 'PUBLIC')
      FROM grants g JOIN me ON me.oid <> g.grantee LEFT JOIN pg_roles o ON o.oid = g.grantee
     WHERE o.rolname IS NULL OR o.rolname <> ALL (%(services)s)
    UNION ALL
    SELECT 'granted-to-others', n.nspname || ' to PUBLIC'
      FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a
     WHERE (n.oid >= 16384 OR n.nspname = 'public') AND a.grantee = 0
    UNION ALL
    SELECT 'granted-to-others', b.datname || ' to PUBLIC'
      FROM pg_database b CROSS JOIN aclexplode(coalesce(b.datacl, acldefault('d', b.datdba))) a
     WHERE b.datname = current_database() AND a.grantee = 0
    UNION ALL
    SELECT 'role-may-grant', g.name FROM grants g JOIN me ON me.oid = g.grantee WHERE g.is_grantable
    UNION ALL
    SELECT 'default-privileges', pg_get_userbyid(defaclrole) FROM pg_default_acl
    UNION ALL
    SELECT 'system-object-opened', s.name
      FROM system_objects s CROSS JOIN aclexplode(s.acl) a JOIN me ON a.grantee IN (0, me.oid)
     WHERE NOT EXISTS (
           SELECT FROM pg_init_privs i CROSS JOIN aclexplode(i.initprivs) b
            WHERE i.classoid = s.class AND i.objoid = s.oid AND i.objsubid = s.part
              AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)
    UNION ALL
    SELECT 'sizes-readable', oid::regprocedure::text FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
       AND proname IN (
           'pg_relation_size', 'pg_total_relation_size', 'pg_table_size', 'pg_indexes_size')

    -- Other ways to the rows of a table
    UNION ALL
    SELECT 'schema-reachable', n.nspname::text FROM pg_namespace n
     WHERE n.oid >= 16384 AND n.nspname NOT LIKE 'pg\_%%' AND has_schema_privilege(n.oid, 'USAGE')
       AND NOT EXISTS (
           SELECT FROM extended WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
    UNION ALL
    SELECT 'partition-reachable', name FROM relations WHERE partition AND reachable
    UNION ALL
    SELECT 'partitioned-without-tenant', t.name FROM tenant_tables t
      JOIN pg_partitioned_table p ON p.partrelid = t.oid
     WHERE p.partattrs[0] IS DISTINCT FROM t.tenant
    UNION ALL
    SELECT 'table-inherits', child.name FROM pg_inherits i
      JOIN relations child ON child.oid = i.inhrelid JOIN relations parent ON parent.oid = i.inhparent
     WHERE NOT child.partition AND (child.oid IN (SELECT oid FROM tenant_tables)
                                    OR parent.oid IN (SELECT oid FROM tenant_tables))
    UNION ALL
    SELECT 'view-with-owner-s-rights', name FROM relations
     WHERE kind = 'v' AND reachable AND NOT EXISTS (
           SELECT FROM unnest(options) AS o WHERE o IN ('security_invoker=true', 'security_invoker=on'))
    UNION ALL
    SELECT 'materialized-view', name FROM relations WHERE kind = 'm'
    UNION ALL
    SELECT 'foreign-table-reachable', name FROM relations WHERE kind = 'f' AND reachable
    UNION ALL
    SELECT 'foreign-server-reachable', srvname::text FROM pg_foreign_server
     WHERE has_server_privilege(oid, 'USAGE')
    UNION ALL
    SELECT 'foreign-server-reachable', fdwname::text FROM pg_foreign_data_wrapper
     WHERE has_foreign_data_wrapper_privilege(oid, 'USAGE')
    UNION ALL
    SELECT 'sequence-reachable', name FROM relations WHERE kind = 'S' AND reachable
    UNION ALL
    SELECT 'large-object', oid::text FROM pg_largeobject_metadata
    UNION ALL
    SELECT 'publication', pubname::text FROM pg_publication
    UNION ALL
    SELECT 'subscription', s.subname::text FROM pg_subscription s
      JOIN pg_database b ON b.oid = s.subdbid WHERE b.datname = current_database()

    -- Keys
    UNION ALL
    SELECT 'no-primary-key', name FROM walled t
     WHERE NOT EXISTS (SELECT FROM keys k WHERE k.conrelid = t.oid AND k.contype = 'p')
    UNION ALL
    SELECT 'key-without-tenant', conname::text FROM keys
     WHERE contype IN ('p', 'u') AND conkey[1] IS DISTINCT FROM source_tenant
    UNION ALL
    SELECT 'foreign-key-leaves-tenant', conname::text FROM keys
     WHERE contype = 'f' AND (
           conkey[1] IS DISTINCT FROM source_tenant OR confkey[1] IS DISTINCT FROM target_tenant)
    UNION ALL
    SELECT 'foreign-key-not-enforced', conname::text FROM keys
     WHERE contype = 'f' AND NOT convalidated
    UNION ALL
    SELECT 'foreign-key-not-enforced', k.conname::text FROM keys k
      JOIN pg_trigger g ON g.tgconstraint = k.oid WHERE g.tgenabled <> 'O'
    UNION ALL
    SELECT 'exclusion-constraint', conname::text FROM keys WHERE contype = 'x' OR conperiod
    UNION ALL
    SELECT 'unique-index-without-tenant', i.indexrelid::regclass::text
      FROM pg_index i JOIN walled t ON t.oid = i.indrelid
     WHERE i.indisunique AND i.indkey[0] IS DISTINCT FROM t.tenant
    UNION ALL
    SELECT 'sequence-on-tenant-table', t.name FROM walled t
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
      JOIN pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S'
    UNION ALL
    SELECT 'sequence-on-tenant-table', t.name FROM walled t
      JOIN pg_attrdef f ON f.adrelid = t.oid
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
      JOIN pg_class s ON d.refclassid = 'pg_class'::regclass AND s.oid = d.refobjid AND s.relkind = 'S'
    UNION ALL
    SELECT 'table-not-logged', name FROM relations
     WHERE persistence = 'u' AND (control IS NOT NULL OR oid IN (SELECT oid FROM walled))

    -- What runs out of sight
    UNION ALL
    SELECT 'trigger-on-table', tgname::text FROM pg_trigger g JOIN relations r ON r.oid = g.tgrelid
     WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'rule-on-table', rulename::text FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class
     WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'event-trigger', evtname::text FROM pg_event_trigger WHERE evtenabled <> 'D'
    UNION ALL
    -- Also PostgreSQL's own functions and those of extensions: an ALTER would change them.
    SELECT 'function-with-owner-s-rights', oid::regprocedure::text FROM pg_proc
     WHERE prosecdef AND has_function_privilege(oid, 'EXECUTE')
    UNION ALL
    SELECT 'function-of-superuser', f.name FROM functions f JOIN pg_roles o ON o.oid = f.proowner
     WHERE o.rolsuper
    UNION ALL
    SELECT 'function-leakproof', oid::regprocedure::text FROM pg_proc
     WHERE oid >= 16384 AND proleakproof
    UNION ALL
    SELECT 'function-in-native-code', f.name FROM functions f JOIN pg_language l ON l.oid = f.prolang
     WHERE NOT l.lanpltrusted AND l.lanname <> 'sql'
    UNION ALL
    SELECT 'cast-of-ours', castsource::regtype || ' to ' || casttarget::regtype FROM pg_cast c
     WHERE oid >= 16384 AND NOT EXISTS (
           SELECT FROM extended WHERE classid = 'pg_cast'::regclass AND objid = c.oid)
    UNION ALL
    SELECT 'operator-of-ours', oid::regoperator::text FROM pg_operator o
     WHERE oid >= 16384 AND NOT EXISTS (
           SELECT FROM extended WHERE classid = 'pg_operator'::regclass AND objid = o.oid)
    UNION ALL
    SELECT 'extension-not-listed', extname::text FROM pg_extension
     WHERE extname <> ALL (%(extensions)s)

    -- Copies of content, which would outlive an erasure
    UNION ALL
    SELECT 'table-out-of-reach', name FROM tenant_tables WHERE NOT reachable
    UNION ALL
    SELECT 'content-keeps-statistics', name FROM content WHERE attstattarget IS DISTINCT FROM 0
    UNION ALL
    SELECT 'statistics-on-content', s.stxname::text FROM pg_statistic_ext s
      JOIN walled t ON t.oid = s.stxrelid
     WHERE s.stxexprs IS NOT NULL OR EXISTS (
           SELECT FROM content c WHERE c.oid = t.oid AND c.attnum = ANY (s.stxkeys))
    UNION ALL
    SELECT 'generated-from-content', t.name || '.' || a.attname FROM walled t
      JOIN pg_attrdef f ON f.adrelid = t.oid
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.adnum AND a.attgenerated <> ''
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
      JOIN content c ON d.refobjid = c.oid AND d.refobjsubid = c.attnum AND c.attnum <> a.attnum
    UNION ALL
    -- An expression keeps statistics of its own; bytes in a key stay until the index is cleaned.
    SELECT 'index-on-content', i.indexrelid::regclass::text FROM pg_index i
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
      JOIN content c ON c.oid = i.indrelid AND d.refobjid = c.oid AND d.refobjsubid = c.attnum
     WHERE c.attnum <> ALL (i.indkey::int2[])
           -- A graph over vectors of one length is on an expression; its statistics are switched off.
       AND NOT (c.typname IN ('vector', 'halfvec', 'sparsevec') AND i.indpred IS NOT NULL
                AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indexrelid
                                   AND a.attstattarget IS DISTINCT FROM 0))
    UNION ALL
    SELECT 'index-on-content', i.indexrelid::regclass::text FROM pg_index i
      JOIN content c ON c.oid = i.indrelid AND c.typname = 'bytea'
                    AND c.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
     WHERE col_description(c.oid, c.attnum) IS DISTINCT FROM 'digest'
)
SELECT DISTINCT code, object FROM findings ORDER BY 1, 2
