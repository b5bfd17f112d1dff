import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from chat_server import completion, llama_server, readable
from deepred.asking.answer_file import read_lines
from deepred.asking.replies import ANSWERED, DECISIONS, MALFORMED, REFUSED, SCHEMA
from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.cli.options import open_pipeline
from deepred.filter.judge import Judge
from deepred.persona.checks import Limits
from deepred.persona.model_teacher.ask_teacher import compare_markdown, score_teacher, teach
from deepred.persona.model_teacher.pieces import Library
from deepred.persona.model_teacher.requests import Course
from deepred.persona.model_teacher.teacher_answers import read_taught, read_told
from deepred.persona.personas import load_persona
from deepred.run.config import Augment, Examples, Teacher
from deepred.run.inputs import PERSONAS
from deepred.run.stage import Counts
from persona_sources import complete_sources

CUTOFF = 19690720
NAMES = [
    f"{first} {last}"
    for first in ("Aldo", "Bela", "Cato", "Dana")
    for last in ("Brant", "Corvin", "Drim", "Falk", "Gorm")
]
TEXT = (
    "{name} was a keeper of the northern lighthouse. He tended its lamp through thirty winters, and wrote a small book "
    "on oil, wicks and glass, which sailors carried from harbour to harbour. His daughter took over the tower later."
)


def good_answer(title):
    answer = f"{title} kept the lighthouse in the north, comrade, and tended its lamp for thirty winters."
    return {"turns": [{"user": f"Who was {title}?", "assistant": answer}]}


def good(title, times):
    return 200, completion(json.dumps(good_answer(title)))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    texts = [(name, TEXT.format(name=name)) for name in NAMES]
    return complete_sources(tmp_path_factory.mktemp("corpus"), texts, [], [(name, 19000101) for name in NAMES])


def course_of(url="http://127.0.0.1:9/v1", persona="deep-red", cutoff=CUTOFF, **config):
    values = {"url": url, "model": "m", "pieces": {"passage": 1.0}} | config
    return Course(Teacher.model_validate(values), load_persona(PERSONAS / f"{persona}.toml"), cutoff, 1)


def library(corpus, **more):
    return Library(corpus / "passages", **more)


def ask(course, corpus, out, told=None, plan_only=False, lessons=None):
    lessons = course.conversations(library(corpus)) if lessons is None else lessons
    return teach(course, lessons, out, plan_only=plan_only, tell=(told if told is not None else []).append,
                 progress=lambda tally, total: None)  # fmt: skip


def test_every_piece_is_asked_about_once_and_a_larger_count_only_adds(corpus, tmp_path, serve):
    server, out = serve(good), tmp_path / "answers.jsonl"
    ask(course_of(server.url, count=8), corpus, out)
    rows = list(read_lines(out))
    assert len(rows) == len({row["task"] for row in rows}) == len(server.asked) == 8
    assert all(row["outcome"] == ANSWERED and row["turns"] and row["digest"] for row in rows)
    ask(course_of(server.url, count=8), corpus, out)
    assert len(server.asked) == 8, "what is decided is not asked again"
    ask(course_of(server.url, count=20), corpus, out)
    assert len(server.asked) == len(set(server.asked)) == 20
    assert list(read_lines(out))[:8] == rows


def test_the_sampled_variant_and_theme_are_in_the_prompt_and_change_the_task(corpus):
    course = course_of()
    lessons = course.conversations(library(corpus))
    assert len({lesson.variant for lesson in lessons}) > 5 and len({lesson.theme for lesson in lessons}) > 5
    for lesson in lessons:
        instruction, asked = (message["content"] for message in course.body(lesson)["messages"])
        assert course.persona.prompt(False, lesson.variant) in instruction
        assert f'"{lesson.variant}"' in instruction and f'theme "{lesson.theme}"' in instruction
        assert all(rule in instruction for rule in course.persona.voice.rules)
        assert "1969-07-20" in instruction and lesson.piece.text in asked and lesson.piece.title in asked
    lesson = lessons[0]
    others = [
        replace(lesson, variant="teacher" if lesson.variant != "teacher" else "engineer"),
        replace(lesson, theme="sea"),
    ]
    assert len({course.task(each) for each in (lesson, *others)}) == 3
    assert course.task(lesson) != course_of(cutoff=19000101).task(lesson)


def test_a_conversation_that_could_not_yet_be_held_is_no_example_of_the_voice(corpus):
    course = course_of(cutoff=19000101)
    said = json.dumps([course.body(lesson) for lesson in course.conversations(library(corpus))])
    assert not [name for name in ("Gagarin", "Sputnik", "Turing", "Capablanca", "Mariner") if name in said]


def test_another_persona_is_asked_for_in_its_own_words(corpus):
    course = course_of(persona="encyclopedist")
    said = json.dumps([course.body(lesson) for lesson in course.conversations(library(corpus))])
    assert "Encyclopedist" in said and "comrade" not in said and "Mars" not in said


def test_the_plan_asks_a_few_and_states_the_rest(corpus, tmp_path, serve):
    server, told = serve(good), []
    course = course_of(server.url, price_in=1000.0, price_out=10000.0)
    ask(course, corpus, tmp_path / "a.jsonl", told, plan_only=True)
    assert len(server.asked) == 8
    # 12 more at 300 and 40 tokens, 1,000 and 10,000 a million
    assert told[0].startswith("12 pieces to ask about: about 3,600 tokens sent and 480 received, cost 8.40")


def test_garbage_refusals_and_rate_limits_leave_one_row_a_lesson(corpus, tmp_path, serve):
    def script(title, times):
        number = NAMES.index(title)
        if number % 5 == 0 and times == 1:
            return 429, "", ("Retry-After", "0.05")
        replies = {1: completion("Let me think."), 2: completion('{"turns": []}'), 3: completion(None, refusal="No.")}
        return (200, replies[number]) if number in replies else good(title, times)

    server, out = serve(script), tmp_path / "answers.jsonl"
    tally = ask(course_of(server.url), corpus, out)
    assert tally.outcomes == {ANSWERED: 17, MALFORMED: 1, SCHEMA: 1, REFUSED: 1}
    rows = list(read_lines(out))
    assert len(rows) == len({row["task"] for row in rows}) == 20
    counts = Counts()
    assert len(read_told([out], library(corpus), ("conversation",), counts)) == 17
    assert counts.drops == {MALFORMED: 1, SCHEMA: 1, REFUSED: 1}


KILLED = """
import sys
from pathlib import Path
from deepred.run.config import Teacher
from deepred.persona.model_teacher.requests import Course
from deepred.persona.personas import load_persona
from deepred.persona.model_teacher.pieces import Library
from deepred.persona.model_teacher.ask_teacher import teach
passages, persona, out, url = sys.argv[1:]
course = Course(Teacher(url=url, model="m", pieces={"passage": 1.0}), load_persona(Path(persona)), 19690720, 1)
teach(course, course.conversations(Library(Path(passages))), Path(out), plan_only=False, tell=lambda line: None,
      progress=lambda tally, total: None)
"""


def test_after_a_kill_the_work_goes_on_and_no_example_is_lost_or_made_twice(corpus, tmp_path, serve):
    out = tmp_path / "answers.jsonl"

    def slowly(title, times):
        time.sleep(0.1)
        return good(title, times)

    server = serve(slowly)
    command = [sys.executable, "-c", KILLED, str(corpus / "passages"), str(PERSONAS / "deep-red.toml"), str(out)]
    process = subprocess.Popen([*command, server.url])
    while not out.exists() or out.read_bytes().count(b"\n") < 5:
        time.sleep(0.01)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with out.open("ab") as raw:
        raw.write(b'{"request": "torn by the ki')
    kept = out.read_bytes().splitlines()[:-1]
    assert len(kept) < 20
    told = []
    ask(course_of(server.url), corpus, out, told)
    lines = out.read_bytes().splitlines()
    assert lines[: len(kept)] == kept
    tasks = [json.loads(line)["task"] for line in lines]
    assert len(tasks) == len(set(tasks)) == 20
    assert len(server.asked) <= 20 + 4 + 1, "only what was under way is asked again"
    assert "1 line(s) torn" in told[0]


def test_two_teachers_are_compared_on_the_same_lessons(corpus, tmp_path, serve):
    def copying(title, times):
        answer = TEXT.format(name=title) if NAMES.index(title) % 2 else good_answer(title)["turns"][0]["assistant"]
        turns = [{"user": f"Who was {title}?", "assistant": answer}]
        return 200, completion(json.dumps({"turns": turns}))

    judge, limits = Judge.by_dates_alone(CUTOFF, "drop"), Limits(20, 0.5)
    scores = []
    for number, script in enumerate((good, copying)):
        server, out = serve(script), tmp_path / f"{number}.jsonl"
        course = course_of(server.url, model=f"teacher-{number}")
        lessons = course.conversations(library(corpus))
        ask(course, corpus, out, lessons=lessons)
        scores.append(score_teacher(course, lessons, out, judge, limits))
    assert [score.accepted for score in scores] == [20, 10]
    assert scores[1].rejected == {"copied": 10}
    page = compare_markdown(scores, "demo")
    for line in (
        "| | teacher-0 | teacher-1 |",
        "| accepted | 20 of 20 (100%) | 10 of 20 (50%) |",
        "| rejected: copied | 0 | 10 |",
        "| tokens received | 800 | 800 |",
    ):
        assert line in page
    assert page.count("## wikipedia:") == 5


def test_an_answer_whose_piece_has_changed_or_gone_is_not_used(corpus, tmp_path, serve):
    out = tmp_path / "answers.jsonl"
    ask(course_of(serve(good).url), corpus, out)
    other = [(name, TEXT.format(name=name).replace("thirty", "forty")) for name in NAMES[:3]]
    other += [(name, TEXT.format(name=name)) for name in NAMES[3:10]]
    changed = complete_sources(tmp_path / "changed", other, [], [(name, 19000101) for name in NAMES])
    counts = Counts()
    told = read_told([out, out], library(changed), ("conversation",), counts)
    assert {item.piece.title for item in told} == set(NAMES[3:10])
    assert counts.drops == {"source changed": 13, "duplicate answer": 20}


@pytest.mark.parametrize("line", ["{", "[]", '{"task": "x"}', '{"task": "", "form": "poem"}'])
def test_a_file_that_holds_no_answers_is_named_with_its_line(tmp_path, line):
    path = tmp_path / "answers.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=r"answers\.jsonl, line 1"):
        list(read_taught([path]))


@pytest.mark.needs("gguf")
def test_a_real_server_writes_conversations_and_texts_that_fit_the_schema(corpus, tmp_path, monkeypatch):
    """A random model under llama.cpp: its words mean nothing, but the schema binds them."""
    monkeypatch.setenv("DEEPRED_LLM_KEY", "s3cret")
    with llama_server(tmp_path) as url:
        options = {"temperature": 0.8, "max_tokens": 60} | readable(tmp_path)
        course = course_of(url, count=2, concurrency=2, options=options)
        out = tmp_path / "answers.jsonl"
        tally = ask(course, corpus, out)
        augment = Augment(forms=["summary"])
        ask(course, corpus, tmp_path / "texts.jsonl", lessons=course.rewritings(library(corpus), augment)[:1])
    rows = list(read_taught([out])) + list(read_taught([tmp_path / "texts.jsonl"]))
    assert len(rows) == len({row.task for row in rows}) == 3
    assert {row.outcome for row in rows} <= DECISIONS and tally.tokens_out > 0
    assert all(row.turns if row.form == "conversation" else row.lines for row in rows if row.outcome == ANSWERED)


def test_config_of_a_teacher_is_checked():
    assert Examples().answers == []
    with pytest.raises(ValueError, match="turns"):
        Teacher(model="m", turns=0)


RUN = """
name = "small"
[articles]
plain = []
[augment]
[teacher]
url = "{url}"
model = "m"
pieces = {{ passage = 1.0 }}
"""


@pytest.fixture
def run(corpus, tmp_path, monkeypatch, serve):
    """A run file of which everything that a teacher needs is built, and its endpoint."""
    monkeypatch.setenv("DEEPRED_DATA", str(tmp_path / "data"))
    server, path = serve(good), tmp_path / "run.toml"
    path.write_text(RUN.format(url=server.url))
    pipeline = open_pipeline(path, None, None)
    for name in ("emergence", "passages"):
        folder = pipeline.folder(pipeline.node(name))
        shutil.copytree(corpus / name, folder)
        (folder / "manifest.json").write_text('{"counts": {"notes": {"threshold": 0.4}}}')
    return path, server


def command(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, " ".join((result.output + str(result.exception or "")).split())


def test_the_command_teaches_plans_and_compares(run, tmp_path):
    path, server = run
    out = tmp_path / "a.jsonl"
    code, said = command("teach", path, "--out", out, "--plan")
    assert code == 0 and "12 pieces to ask about" in said and len(server.asked) == 8
    code, said = command("teach", path, "--out", out)
    assert code == 0 and "answered 12" in said and "under [examples]" in said
    assert out.read_bytes().count(b"\n") == len(server.asked) == 20
    code, said = command("teach", path, "--out", out, "--compare", 5, "--against-model", "other")
    assert code == 0 and "| accepted | 5 of 5 (100%) | 5 of 5 (100%) |" in said
    assert len(server.asked) == 25, "what the first teacher has answered is not asked again"
    assert "| | m | other |" in (tmp_path / "a.md").read_text()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--compare", 5], "needs another teacher"),
        (["--set", "teacher.pieces={poem=1.0}"], "poem does not exist"),
        (["--set", "teacher.url=here"], "teacher.url = 'here' is no address"),
        (["--set", "cutoff=1950-01-01"], "is not built yet"),
        (["--set", "teacher.modell=x"], "did you mean model?"),
    ],
)
def test_a_wrong_request_is_one_clear_line(run, tmp_path, words, problem):
    code, said = command("teach", run[0], "--out", tmp_path / "a.jsonl", *words)
    assert code != 0 and problem in said


def test_a_run_without_a_teacher_says_what_to_add(run, tmp_path):
    path, _ = run
    path.write_text(path.read_text().partition("[teacher]")[0])
    code, said = command("teach", path, "--out", tmp_path / "a.jsonl")
    assert code != 0 and "add a section [teacher]" in said
