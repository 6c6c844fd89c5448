"""What the policy and its promises store and show (`core.rooms`)."""

from troth.core.rooms import MenuLink, Room

ROOM = Room(
    name="policy",
    columns=frozenset(
        {
            # The policy and what was proven: about nobody.
            "promises.PolicyVersion.text",
            "promises.PolicyVersion.digest",
            "promises.PolicyVersion.said",
            "promises.PolicyVersion.by",
            "promises.PolicyVersion.tables",
            "promises.PolicyVersion.link",
            "promises.ProofRun.results",
        }
    ),
    urls="troth.policy.urls",
    navigation=(
        MenuLink(
            place=40,
            url_name="promises",
            label="Promises",
            icon="promises",
            also=("run_checks", "proof_run", "policy", "publish_policy", "policy_version"),
        ),
        MenuLink(place=90, url_name="retention", label="Retention", icon="kept"),
    ),
)
