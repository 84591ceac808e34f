"""How to close each way across that catalogue.sql finds, by the code of the finding."""

_ISOLATE = 'put IsolateTenantTable("<Model>") after CreateModel in its migration'

REMEDIES = {
    # The role itself
    "role-powerful": "take SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB, REPLICATION from it",
    "role-is-member": "REVOKE that role from it: it would act with its rights",
    "role-owns": "let souvenir_owner own it: an owner can switch row-level security off",
    "role-may-create": "REVOKE CREATE on the schema or the database",
    "role-may-make-temporary-tables": "REVOKE TEMP on the database",
    "role-may-set-parameter": "REVOKE SET, ALTER SYSTEM ON PARAMETER",
    "role-setting": "ALTER ROLE … RESET, or DATABASE: it changes what a policy or a name means",
    "session-setting": "take it out of the connection's options, or out of postgresql.conf",
    # Row-level security
    "table-without-tenant": "inherit from TenantScoped, or list it in CONTROL_TABLES",
    "row-security-off": _ISOLATE,
    "row-security-not-forced": _ISOLATE,
    "policy-not-exact": "one policy, for all commands and roles, exactly the one of operations.py",
    "owner-past-row-security": "let souvenir_owner own it, without SUPERUSER and BYPASSRLS",
    # Privileges
    "privilege-past-row-security": "REVOKE TRUNCATE, REFERENCES, TRIGGER, MAINTAIN",
    "control-table-privilege": "REVOKE it, also on columns; or name it in CONTROL_TABLES",
    "granted-to-others": "REVOKE it: the owner and souvenir_app alone have business here",
    "role-may-grant": "REVOKE GRANT OPTION FOR: only the owner says who may do what",
    "default-privileges": "ALTER DEFAULT PRIVILEGES … REVOKE: grants are made table by table",
    "system-object-opened": "REVOKE it: PostgreSQL keeps this for superusers and their monitors",
    "sizes-readable": "REVOKE EXECUTE FROM PUBLIC: row-level security hides no size",
    # Other ways to the rows of a table
    "schema-reachable": "REVOKE USAGE: what is in another schema can hide what is in public",
    "partition-reachable": "grant on the parent only: a partition does not inherit its policies",
    "table-inherits": "ALTER TABLE … NO INHERIT: keys and policies stop at each table",
    "view-with-owner-s-rights": "create the view WITH (security_invoker = true)",
    "materialized-view": "drop it: it is a copy without row-level security that no erasure reaches",
    "foreign-table-reachable": "revoke it: row-level security does not reach foreign tables",
    "foreign-server-reachable": "REVOKE USAGE: data leaves through tenants/egress.py alone",
    "sequence-reachable": "REVOKE it: a sequence counts for all tenants; ids come from new_id()",
    "large-object": "lo_unlink it: large objects have no row-level security",
    "publication": "drop it: it streams the rows of all tenants",
    "subscription": "drop it: it writes rows of any tenant",
    # Keys
    "no-primary-key": _ISOLATE,
    "key-without-tenant": "begin the key with tenant_id",
    "foreign-key-leaves-tenant": "use TenantForeignKey: (tenant_id, …) to (tenant_id, id)",
    "foreign-key-not-enforced": "VALIDATE CONSTRAINT, ENFORCED, and ENABLE TRIGGER ALL",
    "exclusion-constraint": "check it in a service: the constraint would tell of a stranger's row",
    "unique-index-without-tenant": "begin it with tenant_id: a clash would tell of a stranger",
    "sequence-on-tenant-table": "use a UUID from new_id(): a sequence counts for all tenants",
    "table-not-logged": "SET LOGGED: a crash would empty it, and no standby has it",
    # What runs out of sight
    "trigger-on-table": "do it in a service: triggers run out of sight",
    "rule-on-table": "drop it: a rule acts with the rights of the table's owner",
    "event-trigger": "drop it: it runs with the rights of whoever migrates",
    "function-with-owner-s-rights": "make it SECURITY INVOKER or revoke EXECUTE",
    "function-of-superuser": "let souvenir_owner own it, or drop it",
    "function-leakproof": "NOT LEAKPROOF: such a function is shown rows before the policy is asked",
    "function-in-native-code": "write it in SQL: native code is above every rule",
    "cast-of-ours": "drop it: it changes what a policy or a query means",
    "operator-of-ours": "drop it: it changes what a query means",
    "extension-not-listed": "drop it, or name it in EXTENSIONS once it has been looked through",
    # Copies of content
    "content-keeps-statistics": "name the column in `content=` of IsolateTenantTable",
    "statistics-on-content": "DROP STATISTICS: it would keep values past their deletion",
    "generated-from-content": "drop the column: it is a second copy, in the clear",
    "index-on-content": "drop the index: look up by a digest or by blind tokens instead",
}
