import pytest

from deepred.base.errors import UserError
from deepred.persona.from_articles import says_after
from deepred.persona.personas import load_persona, shipped_personas
from deepred.run.inputs import PERSONAS

MINIMAL = """
name = "Clerk"
description = "A clerk."
short = "You are a clerk."
themes = ["office"]
[system]
primary = "You are a clerk who answers."
[voice]
rules = ["Be brief."]
ignorance = ["I know nothing of {thing}."]
"""


def written(tmp_path, text):
    path = tmp_path / "clerk.toml"
    path.write_text(text)
    return path


def shipped(name):
    return load_persona(PERSONAS / f"{name}.toml")


def test_a_persona_needs_no_more_than_names_prompts_and_voice(tmp_path):
    persona = load_persona(written(tmp_path, MINIMAL))
    assert persona.prompt(short=True) == "You are a clerk."
    assert persona.prompt(short=False) == "You are a clerk who answers."


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("name = ", "nmae = "), "name"),
        (("primary = ", "main = "), "primary"),
        (("[voice]", "[voice]\nanswers = ['Yes.']"), "answers"),
        (('themes = ["office"]', "themes = 3"), "themes"),
        (("[voice]", "[[gold]]\ntheme = 'sea'\nturns = [{user='a', assistant='b'}]\n[voice]"), "sea"),
        (("[voice]", "[[gold]]\ntheme = 'office'\nvariant = 'x'\nturns = [{user='a', assistant='b'}]\n[voice]"), "'x'"),
        (("[voice]", "[[gold]]\ntheme = 'office'\nturns = [{user='a', asistant='b'}]\n[voice]"), "gold.0.turns.0"),
        (("[system]", "[system"), "TOML"),
    ],
)
def test_an_error_names_the_file_and_the_key(tmp_path, change, problem):
    path = written(tmp_path, MINIMAL.replace(*change))
    with pytest.raises(UserError) as caught:
        load_persona(path)
    assert str(path) in str(caught.value) and problem in str(caught.value)


def test_a_missing_persona_names_the_shipped_ones(tmp_path):
    with pytest.raises(UserError, match="deep-red, encyclopedist"):
        load_persona(tmp_path / "none.toml")


@pytest.mark.parametrize("name", shipped_personas())
def test_shipped_personas_name_no_date_after_the_default_cutoff(name):
    persona = shipped(name)
    texts = [*persona.system.values(), persona.short, *persona.voice.answers, *persona.voice.ignorance]
    texts += [text for gold in persona.gold for turn in gold.turns for text in (turn.user, turn.assistant)]
    assert not [text for text in texts if says_after(text, 19690720)]


def test_a_gold_conversation_with_a_date_of_the_space_age_says_from_when_it_could_be_held():
    for gold in shipped("deep-red").gold:
        undated = gold.known is None
        texts = [text for turn in gold.turns for text in (turn.user, turn.assistant)]
        assert not (undated and any(says_after(text, 19140101) for text in texts)), texts


def test_deep_red_has_twelve_variants_and_gold_of_every_theme():
    persona = shipped("deep-red")
    assert len(persona.system) >= 12
    assert len(persona.gold) >= 60
    assert {gold.theme for gold in persona.gold} == set(persona.themes)
    assert any(len(gold.turns) > 1 for gold in persona.gold)
    asked = [gold.turns[0].user for gold in persona.gold]
    assert len(set(asked)) == len(asked)
