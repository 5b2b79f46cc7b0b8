"""People who are named in an answer are drawn as people; nothing else becomes one."""

from __future__ import annotations

from bot.operations.port import Answer
from bot.slack.blocks import compose
from handlers.slack.boundary import as_message

SAID = "Power on at source (U0CAROL001, 01:45 UTC): db01 is on. See U0CAROL0012 and <!here>.\n\nNext link."


def runs(text: str, people: list[str]) -> list[dict[str, str]]:
    (block,) = compose(lambda layout: layout.paragraph(text, people=people))
    return block["elements"][0]["elements"]


def test_a_person_is_drawn_as_one_and_the_rest_stays_text():
    drawn = runs(SAID, ["U0CAROL001"])
    assert [run["type"] for run in drawn] == ["text", "user", "text"]
    assert drawn[1]["user_id"] == "U0CAROL001"
    assert drawn[2]["text"].endswith("U0CAROL0012 and <!here>.\n\nNext link.")


def test_whoever_is_no_slack_user_is_only_named():
    (block,) = compose(lambda layout: layout.paragraph("by root (command line)", people=["root (command line)"]))
    assert block["type"] == "section"


def test_an_answer_draws_its_people_for_whoever_asked_alone():
    message = as_message(Answer(SAID, people=["U0CAROL001", "U0DAVE0001"]))
    assert "'user_id': 'U0CAROL001'" in str(message["blocks"])
    assert "U0DAVE0001" not in str(message["blocks"])
    assert message["response_type"] == "ephemeral"
