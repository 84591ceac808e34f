"""How to close each way across that catalogue.sql finds, by the code of the finding."""

from souvenir.core.errors import gettext_noop

_ISOLATE = gettext_noop('put IsolateTenantTable("<Model>") after CreateModel in its migration')

REMEDIES = {
    # The role itself
    "role-superuser": gettext_noop(
        "ALTER ROLE … NOSUPERUSER, or serve as souvenir_app: no rule holds a superuser back"
    ),
    "role-past-row-security": gettext_noop(
        "ALTER ROLE … NOBYPASSRLS: it would see the rows of every organization"
    ),
    "role-powerful": gettext_noop("take CREATEROLE, CREATEDB, REPLICATION from it"),
    "role-is-member": gettext_noop("REVOKE that role from it: it would act with its rights"),
    "role-owns": gettext_noop(
        "let souvenir_owner own it: an owner can switch row-level security off"
    ),
    "role-may-create": gettext_noop("REVOKE CREATE on the schema or the database"),
    "role-may-make-temporary-tables": gettext_noop("REVOKE TEMP on the database"),
    "role-may-set-parameter": gettext_noop("REVOKE SET, ALTER SYSTEM ON PARAMETER"),
    "role-setting": gettext_noop(
        "ALTER ROLE … RESET, or DATABASE: it changes what a policy or a name means"
    ),
    "session-setting": gettext_noop(
        "take it out of the connection's options, or out of postgresql.conf"
    ),
    # Row-level security
    "table-without-tenant": gettext_noop("inherit from TenantScoped, or list it in CONTROL_TABLES"),
    "row-security-off": _ISOLATE,
    "row-security-not-forced": _ISOLATE,
    "policy-not-exact": gettext_noop(
        "one policy, for all commands and roles, exactly the one of operations.py"
    ),
    "audit-log-open": gettext_noop(
        "put its two policies back, as in migration 0007_audit_log, and FORCE ROW LEVEL SECURITY"
    ),
    "owner-past-row-security": gettext_noop(
        "let souvenir_owner own it, without SUPERUSER and BYPASSRLS"
    ),
    # Privileges
    "role-may-truncate": gettext_noop(
        "REVOKE TRUNCATE: it would empty a table of every organization’s rows at once"
    ),
    "privilege-past-row-security": gettext_noop(
        "REVOKE it: row-level security is not asked about REFERENCES, TRIGGER, MAINTAIN"
    ),
    "control-table-privilege": gettext_noop(
        "REVOKE it, also on columns; or name it in CONTROL_TABLES"
    ),
    "granted-to-others": gettext_noop(
        "REVOKE it: the roles of tenants/isolation/roles.py alone have business here"
    ),
    "role-may-grant": gettext_noop("REVOKE GRANT OPTION FOR: only the owner says who may do what"),
    "default-privileges": gettext_noop(
        "ALTER DEFAULT PRIVILEGES … REVOKE: grants are made table by table"
    ),
    "system-object-opened": gettext_noop(
        "REVOKE it: PostgreSQL keeps this for superusers and their monitors"
    ),
    "sizes-readable": gettext_noop("REVOKE EXECUTE FROM PUBLIC: row-level security hides no size"),
    # The roles beside the run-time role
    "service-role-powerful": gettext_noop(
        "take from it what roles.py does not give it: it serves one purpose alone"
    ),
    "service-role-is-member": gettext_noop(
        "REVOKE that role from it: it would act with its rights"
    ),
    "service-role-lent": gettext_noop("REVOKE it: nobody else acts with the rights of this role"),
    "service-role-owns": gettext_noop("let souvenir_owner own it"),
    "service-role-setting": gettext_noop("ALTER ROLE … RESET, or REVOKE … ON PARAMETER"),
    "service-role-privilege": gettext_noop(
        "REVOKE it, also on columns; or declare it for that role in CONTROL_TABLES"
    ),
    "sweeper-reads-content": gettext_noop(
        'put ShowToSweeper("<Model>") after what changed the table: the sweeper sees no content'
    ),
    # Other ways to the rows of a table
    "schema-reachable": gettext_noop(
        "REVOKE USAGE: what is in another schema can hide what is in public"
    ),
    "partition-reachable": gettext_noop(
        "grant on the parent only: a partition does not inherit its policies"
    ),
    "partitioned-without-tenant": gettext_noop(
        "begin the partition key with tenant_id: another would mix tenants in the planner too"
    ),
    "table-inherits": gettext_noop(
        "ALTER TABLE … NO INHERIT: keys and policies stop at each table"
    ),
    "view-with-owner-s-rights": gettext_noop("create the view WITH (security_invoker = true)"),
    "materialized-view": gettext_noop(
        "drop it: it is a copy without row-level security that no erasure reaches"
    ),
    "foreign-table-reachable": gettext_noop(
        "revoke it: row-level security does not reach foreign tables"
    ),
    "foreign-server-reachable": gettext_noop(
        "REVOKE USAGE: data leaves through tenants/egress.py alone"
    ),
    "sequence-reachable": gettext_noop(
        "REVOKE it: a sequence counts for all tenants; ids come from new_id()"
    ),
    "large-object": gettext_noop("lo_unlink it: large objects have no row-level security"),
    "publication": gettext_noop("drop it: it streams the rows of all tenants"),
    "subscription": gettext_noop("drop it: it writes rows of any tenant"),
    # Keys
    "no-primary-key": _ISOLATE,
    "key-without-tenant": gettext_noop("begin the key with tenant_id"),
    "foreign-key-leaves-tenant": gettext_noop(
        "use TenantForeignKey: (tenant_id, …) to (tenant_id, id)"
    ),
    "foreign-key-not-enforced": gettext_noop(
        "VALIDATE CONSTRAINT, ENFORCED, and ENABLE TRIGGER ALL"
    ),
    "exclusion-constraint": gettext_noop(
        "check it in a service: the constraint would tell of a stranger's row"
    ),
    "unique-index-without-tenant": gettext_noop(
        "begin it with tenant_id: a clash would tell of a stranger"
    ),
    "sequence-on-tenant-table": gettext_noop(
        "use a UUID from new_id(): a sequence counts for all tenants"
    ),
    "table-not-logged": gettext_noop("SET LOGGED: a crash would empty it, and no standby has it"),
    # What runs out of sight
    "trigger-on-table": gettext_noop("do it in a service: triggers run out of sight"),
    "rule-on-table": gettext_noop("drop it: a rule acts with the rights of the table's owner"),
    "event-trigger": gettext_noop("drop it: it runs with the rights of whoever migrates"),
    "function-with-owner-s-rights": gettext_noop("make it SECURITY INVOKER or revoke EXECUTE"),
    "function-of-superuser": gettext_noop("let souvenir_owner own it, or drop it"),
    "function-leakproof": gettext_noop(
        "NOT LEAKPROOF: such a function is shown rows before the policy is asked"
    ),
    "function-in-native-code": gettext_noop("write it in SQL: native code is above every rule"),
    "cast-of-ours": gettext_noop("drop it: it changes what a policy or a query means"),
    "operator-of-ours": gettext_noop("drop it: it changes what a query means"),
    "extension-not-listed": gettext_noop(
        "drop it, or name it in EXTENSIONS once it has been looked through"
    ),
    # Copies of content
    "table-out-of-reach": gettext_noop(
        "grant it to souvenir_app, or drop it: no erasure reaches what the run-time role cannot"
    ),
    "content-keeps-statistics": gettext_noop("name the column in `content=` of IsolateTenantTable"),
    "statistics-on-content": gettext_noop(
        "DROP STATISTICS: it would keep values past their deletion"
    ),
    "generated-from-content": gettext_noop("drop the column: it is a second copy, in the clear"),
    "index-on-content": gettext_noop(
        "drop the index: look up by a digest or by blind tokens instead"
    ),
}
