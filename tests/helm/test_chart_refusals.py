"""Values that cannot work, or must not be, are refused, by a message that names the key."""

import shutil
from pathlib import Path

import helm_python as helm
import pytest

from tests.helm.rendered_chart import CHART, DIGEST, Values, minimal, render

ELSEWHERE = {
    "code": "us-1",
    "country": "US",
    "province": "QC",
    "site": "Ashburn",
    "operator": "Someone",
    "operatorParentCountry": "US",
    "legalNexus": ["US"],
    "staffAccessFrom": ["US"],
}
ANYWHERE = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]

# What is changed in values that render -> words of the refusal.
BY_THE_SCHEMA: dict[str, tuple[dict[str, object], str]] = {
    "a cell abroad": ({"cell__country": "US"}, "/cell/country"),
    "a country in small letters": ({"cell__country": "ca"}, "/cell/country"),
    "no country": ({"cell__country": None}, "country"),
    "a state for a province": ({"cell__province": "NY"}, "/cell/province"),
    "no province": ({"cell__province": ""}, "/cell/province"),
    "a placement abroad": (
        {"residency__placements": [ELSEWHERE]},
        "/residency/placements/0/country",
    ),
    "a policy that allows another country": (
        {"residency__policy": {"countries": ["CA", "US"]}},
        "/residency/policy/countries",
    ),
    "a fact of the cell misspelt": ({"cell__provnce": "QC"}, "provnce"),
    "a code that is no label": ({"cell__code": "QC 1"}, "/cell/code"),
    "a day that is none": ({"cell__evidenceDate": "soon"}, "/cell/evidenceDate"),
    "an unknown holder of keys": ({"cell__keyCustody": "vendor"}, "/cell/keyCustody"),
    "a misspelt block": ({"wrokers": {}}, "wrokers"),
    "the tag latest": ({"image__tag": "latest"}, "/image/tag"),
    "a tag in the repository": ({"image__repository": "souvenir:latest"}, "/image/repository"),
    "half a digest": ({"image__digest": "sha256:abc"}, "/image/digest"),
    "telemetry": ({"telemetry__enabled": True}, "/telemetry/enabled"),
    "telemetry under another name": ({"telemetry__endpoint": "https://x.ca"}, "endpoint"),
    "people served without TLS": ({"publicUrl": "http://souvenir.example.ca"}, "/publicUrl"),
    "an address with a path": ({"publicUrl": "https://example.ca/souvenir"}, "/publicUrl"),
    "a secret written out": (
        {"secrets__database": {"value": "postgresql://"}},
        "/secrets/database",
    ),
    "two sweepers": ({"sweeper__replicas": 2}, "/sweeper/replicas"),
    "a fraction of a replica": ({"web__replicas": 1.5}, "/web/replicas"),
    "memory without bounds": ({"web__resources": {"limits": {"memory": None}}}, "/web/resources"),
    "an unknown access mode": (
        {"objects__volume": {"accessMode": "ReadOnlyMany"}},
        "/objects/volume/accessMode",
    ),
    "a store without TLS": ({"objects__endpoint": "http://s3.example.ca"}, "/objects/endpoint"),
    "a database anywhere": (
        {"networkPolicy__database": {"to": ANYWHERE}},
        "/networkPolicy/database",
    ),
    "a way out to anywhere": (
        {"networkPolicy__extraEgress": [{"to": ANYWHERE, "port": 443}]},
        "/networkPolicy/extraEgress/0",
    ),
    "a selector of everything": (
        {"networkPolicy__broker": {"to": [{"namespaceSelector": {}}]}},
        "/networkPolicy/broker",
    ),
    "a switch for the network policies": ({"networkPolicy__enabled": False}, "enabled"),
    "a privileged pod": ({"web__securityContext": {"privileged": True}}, "securityContext"),
    "a label that is the chart's": (
        {"commonLabels": {"app.kubernetes.io/name": "x"}},
        "/commonLabels",
    ),
}
BY_A_SENTENCE: dict[str, tuple[dict[str, object], str]] = {
    **{
        f"no {name}": (
            {f"secrets__{name}": {"existingSecret": ""}},
            f"secrets.{name}.existingSecret is empty",
        )
        for name in (
            "database",
            "ownerDatabase",
            "relayDatabase",
            "broker",
            "secretKey",
            "keyringDatabase",
            "keyringOwnerDatabase",
        )
    },
    **{
        f"no {fact} of the cell": ({f"cell__{fact}": nothing}, f"cell.{fact} is empty")
        for fact, nothing in {
            "code": "",
            "site": "",
            "operator": "",
            "operatorParentCountry": "",
            "legalNexus": [],
            "staffAccessFrom": [],
        }.items()
    },
    "one role for the owner and the web": (
        {"secrets__ownerDatabase": {"existingSecret": "souvenir-database", "key": "database-url"}},
        "Give two roles",
    ),
    "no public address": ({"publicUrl": ""}, "publicUrl is not an https address"),
    "a store that is not in the cell": (
        {"objects__endpoint": "https://s3.us-east-1.example.com"},
        "cell.allowedHosts does not name",
    ),
    "a store whose name only ends like one in the cell": (
        {"objects__endpoint": "https://evil-s3.ca", "cell__allowedHosts": ["s3.ca"]},
        "objects.endpoint points to",
    ),
    "replicas on a volume of one node": ({"web__replicas": 2}, "web.replicas is over 1"),
    "workers on a volume of one node": (
        {"workerBulk__replicas": 2},
        "workerBulk.replicas is over 1",
    ),
    "no digest where one is required": ({"image__requireDigest": True}, "image.digest is empty"),
    "a database nowhere": ({"networkPolicy__database": {"to": []}}, "networkPolicy.database.to"),
    "a keyring nowhere": ({"networkPolicy__keyring": {"to": []}}, "networkPolicy.keyring.to"),
    "a keystore nowhere": ({"networkPolicy__keystore": {"to": []}}, "networkPolicy.keystore.to"),
    "a keystore without an address": (
        {"keystore__transit": {"url": "", "role": "souvenir"}},
        "keystore.transit.url is not an https address",
    ),
    "a keystore that is not of the cell": (
        {"cell__allowedHosts": []},
        'keystore.transit.url points to "openbao.example.ca"',
    ),
    "no way to sign in to the keystore": (
        {"keystore__transit__role": ""},
        "secrets.keystoreToken.existingSecret is empty",
    ),
    "a hardware token without its library": (
        {
            "keystore__provider": "pkcs11",
            "keystore__pkcs11": {"token": "souvenir"},
            "secrets__pkcs11Pin": {"existingSecret": "pin", "key": "pin"},
        },
        "keystore.pkcs11.module is empty",
    ),
    "a hardware token without its PIN": (
        {
            "keystore__provider": "pkcs11",
            "keystore__pkcs11": {"token": "souvenir", "module": "/opt/hsm.so"},
        },
        "secrets.pkcs11Pin.existingSecret is empty",
    ),
    "the keyring in the database of the data": (
        {
            "secrets__keyringDatabase": {
                "existingSecret": "souvenir-database",
                "key": "database-url",
            }
        },
        "secrets.keyringDatabase.key and secrets.database.key",
    ),
    "the web as the keyring's owner": (
        {
            "secrets__keyringDatabase": {"existingSecret": "keys", "key": "url"},
            "secrets__keyringOwnerDatabase": {"existingSecret": "keys", "key": "url"},
        },
        "secrets.keyringOwnerDatabase.key and secrets.keyringDatabase.key",
    ),
    "a broker nowhere": ({"networkPolicy__broker": {"to": []}}, "networkPolicy.broker.to"),
    "names from nowhere": ({"networkPolicy__dns": {"to": []}}, "networkPolicy.dns.to is empty"),
    "another way out to nowhere, which means anywhere": (
        {"networkPolicy__extraEgress": [{"to": [], "port": 443}]},
        "networkPolicy.extraEgress[0].to",
    ),
    "an ingress that the network shuts out": (
        {"ingress": {"enabled": True, "tlsSecret": "tls"}},
        "networkPolicy.web.from is empty",
    ),
    "an ingress without a certificate": ({"ingress": {"enabled": True}}, "ingress.tlsSecret"),
    "courts that the policy refuses": (
        {"cell__legalNexus": ["CA", "US"]},
        "cell.legalNexus names US",
    ),
    "staff from abroad": ({"cell__staffAccessFrom": ["CA", "IN"]}, "cell.staffAccessFrom names IN"),
    "a province that the policy leaves out": (
        {"residency__policy": {"provinces": ["ON"]}},
        "cell.province is QC",
    ),
    "keys held by another": (
        {"residency__policy": {"keyCustody": ["shared"]}},
        "cell.keyCustody is",
    ),
}


@pytest.mark.parametrize(("changes", "words"), BY_THE_SCHEMA.values(), ids=BY_THE_SCHEMA.keys())
def test_the_schema_refuses(changes: dict[str, object], words: str) -> None:
    with pytest.raises(helm.HelmValuesError) as refusal:
        render(minimal(**changes))

    assert words in str(refusal.value)


@pytest.mark.parametrize(("changes", "words"), BY_A_SENTENCE.values(), ids=BY_A_SENTENCE.keys())
def test_a_sentence_refuses_and_tells_the_remedy_in_both_languages(
    changes: dict[str, object], words: str
) -> None:
    english, french = _sentences(minimal(**changes))

    assert words in "\n".join(english)
    assert len(english) == len(french)
    # What is wrong, then what to do.
    for sentence in (*english, *french):
        assert sentence.rstrip(".").count(". ") >= 1 or ": " in sentence, sentence


def test_all_that_is_wrong_is_said_at_once() -> None:
    english, _ = _sentences(minimal(publicUrl="", web__replicas=2, secrets={}))

    assert len(english) >= 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell__country": "US"}, "cell.country"),
        ({"cell__province": "NY"}, "cell.province"),
        ({"residency__placements": [ELSEWHERE]}, "residency.placements[0].country"),
        ({"residency__policy": {"countries": ["CA", "US"]}}, "residency.policy.countries"),
        ({"telemetry__enabled": True}, "telemetry.enabled"),
        ({"keystore__provider": "file"}, "keystore.provider"),
        ({"image__tag": "latest"}, "image.tag"),
        ({"publicUrl": "http://souvenir.example.ca"}, "publicUrl"),
    ],
)
def test_skipping_the_schema_does_not_skip_the_guard(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    chart = tmp_path / "souvenir"
    shutil.copytree(CHART, chart)
    # What `helm --skip-schema-validation` comes to.
    (chart / "values.schema.json").unlink()

    with pytest.raises(helm.HelmRenderError) as refusal:
        render(minimal(**changes), chart=chart)

    assert words in str(refusal.value)


def test_the_values_that_these_tests_spoil_are_good() -> None:
    assert render(minimal(image__requireDigest=True, image__digest=DIGEST))


def _sentences(values: Values) -> tuple[list[str], list[str]]:
    with pytest.raises(helm.HelmRenderError) as refusal:
        render(values)
    english, french = str(refusal.value).split("Souvenir ne s’installe pas")
    return _items(english), _items(french)


def _items(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  - ")]
