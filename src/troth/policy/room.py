"""What the policy and its promises store and show (`core.rooms`)."""

from troth.core.rooms import MenuLink, Room

ROOM = Room(
    name="policy",
    columns=frozenset(
        {
            # The policy and what was proven: about nobody.
            "policy.PolicyVersion.text",
            "policy.PolicyVersion.digest",
            "policy.PolicyVersion.said",
            "policy.PolicyVersion.by",
            "policy.PolicyVersion.tables",
            "policy.PolicyVersion.link",
            "policy.ProofRun.results",
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
