"""`troth demo`: one line when ready, a clean end whatever ends it, a clear word where it cannot run."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests import forked
from tests.browser import house as houses
from troth.demo.run import DemoError, Ports, main


def _gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after `seconds` at most."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _free(base: int) -> bool:
    try:
        for port in range(base, base + 6):
            socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_all_it_names_and_ends_cleanly(number):
    base = houses.free_ports(6)
    house = houses.start(base)
    for address in (house.front + "/newsletter", house.vendor, house.mail, house.office + "/sign-in/", house.sign_in):
        assert httpx.get(address).status_code == 200, address
    assert httpx.get(f"{house.mail}/messages.json").json() == []
    assert house.site.is_dir()
    family = psutil.Process(house.process.pid).children(recursive=True)
    assert len(family) >= 6  # clerk, worker, office, front, mail company, vendor's website
    house.process.send_signal(number)
    rest, said = house.process.communicate(timeout=60)
    assert house.process.returncode == 0
    assert (rest, said) == ("", "")
    assert _gone(family, 0) == []
    assert not house.site.parent.exists()
    assert _free(base)


def test_killed_without_a_word_it_leaves_no_process():
    base = houses.free_ports(6)
    house = houses.start(base)
    family = psutil.Process(house.process.pid).children(recursive=True)
    house.process.kill()
    house.process.communicate()
    assert _gone(family, 40) == []
    assert _free(base)


def test_ended_while_it_starts_it_leaves_nothing(tmp_path):
    for seconds in (0.4, 1.2, 2.0):
        process = subprocess.Popen(
            [*houses.TROTH, "demo", "--json", "--port-base", str(houses.free_ports(6))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        time.sleep(seconds)
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(60)
        assert _gone(family, 0) == []
        assert list(tmp_path.iterdir()) == []


def test_with_a_past_a_campaign_goes_out_and_kept_the_site_stays_without_its_processes(tmp_path):
    process = subprocess.Popen(
        [*houses.TROTH, "demo", "--keep", "--days", "3", "--json", "--port-base", str(houses.free_ports(6))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    addresses = json.loads(process.stdout.readline())
    site = Path(addresses.pop("site"))
    try:
        _send_a_campaign(houses.House(process, site, **addresses), tmp_path / "news.md")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert (site / "troth.toml").exists()
    assert (site / "troth.log").exists()


def _send_a_campaign(house: houses.House, text: Path) -> None:
    """To the generated subscribers of a topic: each mail is signed with its headers to unsubscribe, and these work."""
    archive = httpx.get(f"{house.front}/newsletter/archive").text
    assert archive.count("/newsletter/archive/") == 2 and "One trick, ten minutes" in archive
    assert [one["state"] for one in _campaign(house, "list")] == ["draft", "sent", "sent"]
    text.write_text("Hello {{ first_name | there }}, [read on](https://www.example.com/news).")
    sent = _campaign(house, "send", str(text), "--subject", "Spring news", "--topic", "Tricks")
    assert sent["state"] == "sent" and sent["sent"] == sent["audience"] > 20
    told = [one for one in httpx.get(f"{house.mail}/messages.json").json() if one["subject"] == "Spring news"]
    assert len({one["recipient"] for one in told}) == len(told) == sent["audience"]
    assert {one["dkim"] for one in told} == {"good"}
    mail = house.mail_for(told[0]["recipient"])
    signed = "".join(mail.headers["DKIM-Signature"].split()).lower().partition("h=")[2].partition(";")[0].split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(signed)
    assert "Hello there" in mail.text and "1 Example Row, Exampleton" in mail.text
    link = mail.headers["List-Unsubscribe"].strip("<>")
    assert link == mail.link("unsubscribe")
    assert "Tricks" in httpx.get(mail.link("preferences")).text
    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 303
    until = time.monotonic() + 15
    while json.loads(_troth(house, "status").stdout)["subscriptions"]["left"] != 1:
        assert time.monotonic() < until
    again = _campaign(house, "send", str(text), "--subject", "More news", "--topic", "Tricks")
    assert again["sent"] == sent["sent"] - 1 and len(house.mails(mail.recipient)) == 1
    assert "This campaign is sent." in _troth(house, "campaign", "pause", again["id"], check=False).stderr
    later = _campaign(house, "send", str(text), "--subject", "Later", "--at", "2099-12-01T09:00")
    assert "draft again" in _troth(house, "campaign", "cancel", later["id"], check=False).stderr
    assert _campaign(house, "unschedule", later["id"])["state"] == "draft"


def _campaign(house: houses.House, *words: str):
    return json.loads(_troth(house, "campaign", *words).stdout)


def _troth(house: houses.House, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = forked.run(houses.TROTH[-1], *words, "--json", "--site", str(house.site), env=os.environ, timeout=90)
    if check:
        assert done.returncode == 0, done.stderr
    return done


def test_a_person_is_told_where_to_look():
    base = houses.free_ports(6)
    process = subprocess.Popen(
        [*houses.TROTH, "demo", "--port-base", str(base)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    process.terminate()
    process.communicate(timeout=60)
    text = "".join(said)
    for part in (f"http://localhost:{base + 2}/", f"http://localhost:{base + 3}", "/welcome/"):
        assert part in text


def test_a_port_in_use_is_named_with_a_way_out():
    base = houses.free_ports(6)
    with socket.create_server(("127.0.0.1", base + 3)), pytest.raises(DemoError) as refused:
        Ports(base).check()
    assert str(base + 3) in str(refused.value)
    assert f"make demo PORTS={base + 100} (troth demo --port-base {base + 100})" in refused.value.mend


def test_without_the_packages_of_its_mail_company_it_says_what_brings_them(monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "dkim" else there(name))
    with pytest.raises(DemoError, match=r"real sites do not need them\): dkimpy\.") as refused:
        main(houses.free_ports(6))
    assert "make demo" in refused.value.mend


@pytest.mark.parametrize("base", [0, 80, 65_532, 100_000])
def test_a_port_that_cannot_be_is_refused(base):
    with pytest.raises(DemoError):
        Ports(base).check()
