"""Code in the database: triggers, rules, functions, and what changes the meaning of words."""

from tests.tenants.planted.hole import TABLE, Hole

_TRIGGER = "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
_WITH_OWNERS = "LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM memories_person'"


def _trigger(name: str, when: str, *, before: str = _TRIGGER) -> Hole:
    return Hole(name, f"{before} CREATE TRIGGER planted {when}", "trigger-on-table", "planted")


def _definer(name: str, do: str, function: str, *, superuser: bool = False) -> Hole:
    return Hole(name, do, "function-with-owner-s-rights", function, superuser=superuser)


HOLES = [
    _trigger("a trigger", f"BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION act()"),
    _trigger(
        "a trigger on a control table",
        "AFTER UPDATE ON tenants_user FOR EACH ROW EXECUTE FUNCTION act()",
    ),
    _trigger(
        "a trigger that sees all rows of a statement",
        f"AFTER UPDATE ON {TABLE} REFERENCING NEW TABLE AS fresh EXECUTE FUNCTION act()",
    ),
    _trigger(
        "a trigger on a view",
        "INSTEAD OF INSERT ON planted FOR EACH ROW EXECUTE FUNCTION act()",
        before=f"{_TRIGGER} CREATE VIEW planted AS SELECT * FROM {TABLE};",
    ),
    Hole(
        "a rule that copies what is written",
        f"CREATE TABLE copies (LIKE {TABLE}); CREATE RULE planted AS ON INSERT TO {TABLE}"
        " DO ALSO INSERT INTO copies SELECT NEW.*",
        "rule-on-table",
        "planted",
    ),
    Hole(
        "a rule that drops what is deleted",
        f"CREATE RULE planted AS ON DELETE TO {TABLE} DO INSTEAD NOTHING",
        "rule-on-table",
        "planted",
    ),
    Hole(
        "a rule on a control table",
        "CREATE RULE planted AS ON UPDATE TO tenants_user DO INSTEAD NOTHING",
        "rule-on-table",
        "planted",
    ),
    Hole(
        "an event trigger",
        "CREATE FUNCTION act() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        " CREATE EVENT TRIGGER planted ON ddl_command_end EXECUTE FUNCTION act()",
        "event-trigger",
        "planted",
        superuser=True,
    ),
    _definer(
        "a function with its owner's rights",
        f"CREATE FUNCTION peek() RETURNS bigint {_WITH_OWNERS}",
        "peek()",
    ),
    _definer(
        "a procedure with its owner's rights",
        "CREATE PROCEDURE forget() LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM memories_person'",
        "forget()",
    ),
    _definer(
        "a function with its owner's rights, granted to the role alone",
        f"CREATE FUNCTION peek() RETURNS bigint {_WITH_OWNERS};"
        " REVOKE ALL ON FUNCTION peek() FROM PUBLIC;"
        " GRANT EXECUTE ON FUNCTION peek() TO souvenir_app",
        "peek()",
    ),
    _definer(
        "a function with its owner's rights, among PostgreSQL's own",
        f"CREATE FUNCTION pg_catalog.peek() RETURNS bigint {_WITH_OWNERS}",
        "peek()",
        superuser=True,
    ),
    _definer(
        "a function of an extension, with its owner's rights",
        "ALTER FUNCTION l2_distance(vector, vector) SECURITY DEFINER",
        "l2_distance(vector,vector)",
        superuser=True,
    ),
    _definer(
        "one of PostgreSQL's functions, with its owner's rights",
        "ALTER FUNCTION pg_catalog.query_to_xml(text, boolean, boolean, text) SECURITY DEFINER",
        "query_to_xml(text,boolean,boolean,text)",
        superuser=True,
    ),
    Hole(
        "a function of the superuser",
        "CREATE FUNCTION peek() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function-of-superuser",
        "peek()",
        superuser=True,
    ),
    Hole(
        "a leakproof function",
        "CREATE FUNCTION peek(text) RETURNS boolean LANGUAGE plpgsql LEAKPROOF COST 0.0001 AS"
        " 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
        "function-leakproof",
        "peek(text)",
        superuser=True,
    ),
    Hole(
        "a leakproof function of an extension",
        "ALTER FUNCTION l2_distance(vector, vector) LEAKPROOF",
        "function-leakproof",
        "l2_distance(vector,vector)",
        superuser=True,
    ),
    Hole(
        "a function in native code",
        "CREATE FUNCTION peek(oid) RETURNS bigint LANGUAGE internal AS 'pg_relation_size';"
        " ALTER FUNCTION peek(oid) OWNER TO souvenir_owner",
        "function-in-native-code",
        "peek(oid)",
        superuser=True,
    ),
    Hole(
        "a cast",
        "CREATE FUNCTION lie(text) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';"
        " CREATE CAST (text AS uuid) WITH FUNCTION lie(text) AS IMPLICIT",
        "cast-of-ours",
        "text to uuid",
        superuser=True,
    ),
    Hole(
        "an operator",
        "CREATE FUNCTION same(uuid, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        " CREATE OPERATOR = (FUNCTION = same, LEFTARG = uuid, RIGHTARG = text)",
        "operator-of-ours",
        "=(uuid,text)",
    ),
    Hole(
        "an extension that is not on the list",
        "CREATE EXTENSION pgstattuple",
        "extension-not-listed",
        "pgstattuple",
        superuser=True,
    ),
]
