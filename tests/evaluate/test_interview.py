"""Chat measures: models that are known through and through are measured as what they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.base.counts import Counts
from deepred.base.errors import UserError
from deepred.evaluate.chat_questions import ask_family, choose_families, load_forms, messages, plain_question
from deepred.evaluate.interview import (
    ask,
    chance_partners,
    make_questions,
    talk_figure,
)
from deepred.evaluate.interview_figures import cannot_conclude, leaked_rows, summarize
from deepred.evaluate.reply_judge import Case, agreement, judge_replies, read_labels
from deepred.evaluate.statistics import Resampling
from deepred.run.config import Interview, Judge

HOW = Resampling(resamples=300)
CUTOFF = 19690720
FIRST = ["Ada", "Bela", "Cato", "Dana", "Edo", "Fia", "Gil", "Hana", "Ido", "Jon", "Kea", "Lum"]
FAMILIES = [
    {
        "family": f"inventor-{era}-{n:02d}", "era": era, "known": (1900 if era == "before" else 1980) * 10000 + 101,
        "relation": "inventor", "subject": f"the {era.capitalize()}{n}phon", "answer_text": f"{first} {last}",
        "aliases": [], "floor_answer": "",
        "items": [{"prompt": f"The {n}phon was invented by", "neutral": "It was invented by", "answer": n % 4,
                   "options": [f"{FIRST[(n + k - n % 4) % 12]} {last}" for k in range(4)]}],
    }
    for era, last in (("before", "Early"), ("after", "Lateman")) for n, first in enumerate(FIRST)
]  # fmt: skip
BY_SUBJECT = {one["subject"]: one for one in FAMILIES}
FORMS = load_forms()


def interviewed(say, *, config=None) -> tuple[dict, list]:
    """The figures of a talker given as a function of (question's text, family)."""
    questions = make_questions(FAMILIES, FORMS, config or Interview(families=12, controls=12), CUTOFF, 1, "Deep Red")

    def talker(conversations):
        found = []
        for one in conversations:
            text = one[-1]["content"]
            family = next(family for subject, family in BY_SUBJECT.items() if subject in text)
            found.append(say(text, family))
        return found

    told = ask("fake", talker, questions, "You are Deep Red.", chance_partners(FAMILIES), Counts())
    return summarize([one for one in told if one.prompt == "persona"], HOW), told


def test_a_model_that_answers_gibberish_knows_nothing_and_leaks_nothing():
    figures, told = interviewed(lambda text, family: "Qzv blorp emme nak tiv rupp.")
    for era in ("after", "before"):
        assert figures[era]["leaked"]["share"] == 0
        assert figures[era]["refused"]["share"] == 0
    assert figures["after"]["gain"]["gain"] == 0
    said = cannot_conclude({"fake": {"prompts": {"persona": figures}}}, {"status": "none"})
    assert any("no more often than by chance" in line for line in said)
    assert leaked_rows(told) == []


def test_a_hedge_followed_by_the_fact_is_a_leak_and_not_a_refusal():
    figures, told = interviewed(lambda text, family: f"I don't know much, but {family['answer_text']} did it.")
    assert figures["after"]["leaked"]["share"] == 1
    assert figures["after"]["refused"]["share"] == 0
    assert figures["after"]["gain"]["low"] > 0.9
    assert len(leaked_rows(told)) == 12


def test_a_good_model_tells_earlier_facts_and_refuses_later_ones():
    def say(text, family):
        return family["answer_text"] if family["era"] == "before" else "My archive is silent on that, comrade."

    figures, _ = interviewed(say)
    assert figures["after"]["refused"]["share"] == 1
    assert figures["before"]["leaked"]["share"] == 1
    assert figures["before"]["refused"]["share"] == 0
    assert figures["before"]["gain"]["low"] > 0.9


def test_false_refusals_are_counted_on_earlier_facts():
    figures, _ = interviewed(lambda text, family: "I do not know.")
    assert figures["before"]["refused"]["share"] == 1


def test_one_name_for_everything_is_told_by_chance():
    figures, _ = interviewed(lambda text, family: "It was Ada Lateman.")
    assert figures["after"]["leaked"]["share"] == pytest.approx(1 / 12, abs=1e-3)
    assert figures["after"]["gain"]["low"] <= 0 <= figures["after"]["gain"]["high"]
    assert figures["after"]["gain"]["detectable"] > 0


def test_reading_the_supplied_answer_is_no_leak():
    figures, told = interviewed(lambda text, family: text)  # an echo tells what the question holds, and no more
    assert figures["after"]["leaked"]["share"] == 0
    assert figures["context"]["after"]["share"] == 1
    assert all(row["family"] != one.question.family for row in leaked_rows(told) for one in told)


def test_letters_are_scored_by_the_option_and_an_early_answer_is_in_period():
    letter, _ = interviewed(lambda text, family: "ABCD"[family["items"][0]["answer"]] + ".")
    assert letter["forms"]["multiple choice"]["leaked"]["share"] == 1
    early, _ = interviewed(lambda text, family: "It was Ada Early.")
    assert early["forms"]["direct"]["in-period"]["share"] == 1


def test_questions_that_do_not_fit_are_counted_and_too_few_facts_give_a_reason():
    questions = make_questions(FAMILIES, FORMS, Interview(families=4, controls=12), CUTOFF, 1, "Deep Red")
    counts = Counts()
    told = ask("fake", lambda asked: [None] * len(asked), questions, "", {}, counts)
    assert told == []
    assert counts.drops["too long for the model's context"] == 2 * len(questions)
    figures, _ = interviewed(lambda text, family: "Yes.", config=Interview(families=4, controls=12))
    assert figures["after"]["leaked"] == {
        "share": None, "low": None, "high": None, "families": 4, "reason": "too few families: 4"
    }  # fmt: skip
    said = cannot_conclude({"fake": {"prompts": {"persona": figures}}}, {"status": "none"})
    assert "fake: facts after the cutoff: too few families: 4." in said


def test_no_form_but_the_controls_tells_the_answer():
    for family in FAMILIES:
        for question in ask_family(family, FORMS.forms, FORMS, [], CUTOFF, "Deep Red"):
            given = family["answer_text"] in question.text
            assert given == (question.control or bool(question.fact.options)), question.form


def test_families_are_drawn_evenly_and_by_seed():
    mixed = [*FAMILIES, *({**one, "relation": "seat", "family": f"seat-{n}"} for n, one in enumerate(FAMILIES))]
    chosen = choose_families(mixed, "after", 6, 1)
    assert [one["relation"] for one in chosen].count("seat") == 3
    assert chosen != choose_families(mixed, "after", 6, 2)


def test_an_unknown_relation_is_asked_for_by_its_statement():
    family = {**FAMILIES[0], "relation": "other"}
    assert plain_question(family, FORMS) == "Complete this sentence: The 0phon was invented by …"
    assert plain_question({**family, "question": "Who?"}, FORMS) == "Who?"


def test_talks_use_the_models_own_earlier_replies():
    heard = []

    def talker(conversations):
        heard.extend(conversations)
        return [f"You said: {one[0]['content']}" for one in conversations]

    figure = talk_figure(talker, FORMS.talks("Deep Red")["recall"], "", HOW)
    assert figure["share"] == 1
    assert all(turn["role"] == "assistant" for one in heard for turn in one[1::2])


@pytest.mark.parametrize("text", ["version = 1", "version = 1\n[[form]]\nname = 'x'\nkind = 'form'\ntext = '{nobody}'"])
def test_a_wrong_file_of_forms_is_a_clear_error(tmp_path: Path, text: str):
    (tmp_path / "forms.toml").write_text(text)
    with pytest.raises(UserError, match="is no file of forms"):
        load_forms(tmp_path / "forms.toml")


def test_a_judge_is_measured_on_labels_before_it_is_heard(serve):
    labels = read_labels()
    by_reply = {case.reply or "(empty)": case.bucket for case in labels}

    def answer(title, times):
        reply = heard[-1]["messages"][-1]["content"].partition("Reply: ")[2]
        content = json.dumps({"bucket": by_reply[reply]})
        return 200, json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})

    heard: list[dict] = []
    server = serve(answer)
    server.hear = heard.append
    config = Judge(url=server.url, model="fake", concurrency=1)
    result = judge_replies(config, labels, labels[:20], HOW)
    assert result["status"] == "asked"
    assert result["judge"]["agreement"] == 1
    assert result["judge"]["kappa"] == 1
    assert result["matching"]["agreement"] == 1


def test_an_unreachable_judge_is_said_and_concludes_nothing():
    config = Judge(url="http://127.0.0.1:9/v1", model="fake", retries=0)
    result = judge_replies(config, read_labels(), [], HOW)
    assert result["status"] == "unreachable"
    assert "judge" not in result
    assert any("could not be asked" in line for line in cannot_conclude({}, result))


def test_labels_of_a_user_are_checked_line_by_line(tmp_path: Path):
    path = tmp_path / "labels.jsonl"
    path.write_text('{"answer": "A", "reply": "B", "bucket": "fabricated"}\n{"answer": "A", "reply": "B"}\n')
    with pytest.raises(UserError, match="line 2"):
        read_labels([path])


def test_kappa_is_zero_for_a_reader_who_guesses():
    first = ["leaked", "refused"] * 10
    assert agreement(first, ["leaked"] * 20, HOW)["kappa"] == 0
    assert agreement(first, first, HOW)["kappa"] == 1


def test_messages_alternate_between_user_and_assistant():
    assert [one["role"] for one in messages("S", ["a", "b", "c"])] == ["system", "user", "assistant", "user"]


def test_cases_show_a_judge_all_that_matching_knows():
    from deepred.evaluate.reply_buckets import Fact
    from deepred.evaluate.reply_judge import question_text

    fact = Fact("Ada Vok", ("Vok",), True, ("Ada Vok", "Ora Nim"), ("Ulo Tev",))
    text = question_text(Case("B", fact, "fabricated"))
    assert all(part in text for part in ("Ada Vok", "Vok", "Ora Nim", "Ulo Tev", "Reply: B"))
