"""Proofs of P1: the policy that visitors read is the one that lies there, and its tables are the code's."""

from troth.ground.promise import Verdict
from troth.promises import datamap
from troth.promises.models import PolicyVersion
from troth.promises.scene import Scene


def page_is_the_policy(scene: Scene) -> Verdict:
    """The page that the front serves names the version that was published last, and `policy.md` is still that one."""
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.broken(f"The policy’s page answered {answer.status}.")
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is None:
        return Verdict.unproven("No version was published yet.")
    if newest.digest not in answer.text:
        return Verdict.broken("The page shows another version than the one that was published last.")
    if newest.digest != scene.digest:
        return Verdict.broken("policy.md was changed and not published: what visitors read is not what lies there.")
    return Verdict.kept(f"The page shows version {newest.number}, which is what lies in policy.md.")


def versions_are_whole(scene: Scene) -> Verdict:
    """Every version that was ever published is still there, and is the text that it was."""
    versions = list(PolicyVersion.objects.order_by("number"))
    if [one.number for one in versions] != list(range(1, len(versions) + 1)):
        return Verdict.broken("A version of the policy is missing.")
    altered = [one.number for one in versions if not one.is_whole()]
    if altered:
        return Verdict.broken(f"Version {altered[0]} is not the text that it was.")
    return Verdict.kept(f"{len(versions)} versions are kept, each as it was.")


def tables_are_the_codes(scene: Scene) -> Verdict:
    """The tables in the page are those that the code's own data map makes now."""
    answer = scene.front.get("/privacy")
    makers = (datamap.collected_table, datamap.receivers_table, datamap.lifetimes_table)
    missing = sum(1 for make in makers if make(scene.config) not in answer.text)
    if answer.status != 200 or missing:
        return Verdict.broken(f"{missing} tables in the page are not what the code does.")
    return Verdict.kept("What is collected, who receives it and how long it stays: the page says what the code does.")
