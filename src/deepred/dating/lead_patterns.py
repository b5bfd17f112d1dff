"""The patterns by which a lead is read, made of the words in ``lead_patterns.toml``."""

from __future__ import annotations

import re

from deepred.base.files import shipped_table
from deepred.dating.infobox_dates import WORK

_TABLE: dict[str, dict[str, str]] = shipped_table("deepred.dating", "lead_patterns.toml")
_EVENTS = {kind: verbs.replace("\n", "") for kind, verbs in _TABLE["events"].items()}
_WORDS = {name: words.replace("\n", "") for name, words in _TABLE["words"].items()}

KIND_OF = {"creation": "publication", "close": "end"}
"""What the kinds of ``lead_patterns.toml`` that are no kinds of evidence stand for."""
EVENT = re.compile("|".join(rf"\b(?P<{kind}>{verbs})\b" for kind, verbs in _EVENTS.items()), re.IGNORECASE)
"""A verb of an event; the group's name is its kind."""
NEAR = re.compile(
    r"[^.;]{0,110}?\b(?:in|on|during|from|between|by|since|until|of|c\.|around|circa|early|late|mid)[\s-]+"
    r"(?:the\s+|about\s+|around\s+)?(?:early |late |mid-)?\Z"
)
"""What may stand between a verb and its date."""
OTHER_VERB = re.compile(r"\b(?:is|are|was|were|became|had)\b")
"""A verb between, to which the date belongs: "born Guido di Castello, was Pope from 26 September 1143"."""
OBJECT = re.compile(
    r"(?<=introduced)\s+(?:in)?to\s|(?<=opened)\s+as\s|(?<=identified)\s+with\s"
    r"|\s+(?:the|a|an|his|her|its|their|two|three|several|many)\s+(?!\w+ of [A-Z][a-z]+ \d)"
)
"""An object after the verb: who "closed the mills in 1894" did not close then."""
ACTIVE = ("landed", "struck")
"""Verbs whose object does not take the date away from the subject: a mission that landed two people did so then."""
SUFFERED = re.compile(r"\b(?:was|were|been|and|it|finally|officially|then)\s\Z", re.IGNORECASE)
"""What stands before a verb that happened to the subject: "was closed", but not "Connecticut disbanded"."""
REVIVED = re.compile(rf"\b(?:{_WORDS['revived']})\b", re.IGNORECASE)
PERSONAL = re.compile(rf"\b(?:{_WORDS['personal']})\s\Z", re.IGNORECASE)
PASSIVE = re.compile(rf"\b(?:{_WORDS['passive']})\s\Z", re.IGNORECASE)
TOPIC = re.compile(rf"(?:{_WORDS['topics']}) (?:of|in) .*")
NO_SUBJECT = ("(disambiguation)", "(surname)", "(given name)")
"""Ends of titles of pages that list others."""

IS = re.compile(r"\b(?P<verb>is|are|was|were|refers? to|has been|have been|includes?)\b\s?")
PRESENT = ("is", "are", "refers to", "refer to", "has been", "have been", "include", "includes")
VERB = re.compile(r"\b(?:is|are|was|were)\b")
PREDICATE_END = re.compile(rf"\.\s|\n|\s(?:{_WORDS['predicate_end']})\b")
LASTING_PHRASE = re.compile(rf"(?:{_WORDS['lasting']})\b")
TERM = re.compile(r"\b(?P<word>from|between|since|until)\s+(?=\S)")
SENTENCE_END = re.compile(r"(?<=[a-z)\d”\"])\.\s+(?=[A-Z])")

WORK_WORD = re.compile(rf"\b{WORK}s?\b(?!\s+(?:{_WORDS['no_work']}))", re.IGNORECASE)
SERIAL = re.compile(rf"\b(?:{_WORDS['serial']})\b", re.IGNORECASE)
YEAR_WORK = re.compile(
    r"\b(?:is|was|are|were)\s+(?:an?|the)\s+(?:(?!(?:in|on|of|from|by|since|to|at)\b)[^\s.()]+\s+){0,3}?"
    r"(?P<year>1[0-9]\d\d|20\d\d)\s+(?P<what>[^.;()]{0,90})"
)
"""Star Wars is a 1977 film."""
WORK_OF = re.compile(r"[^.(]{1,90}\((?P<year>1[0-9]\d\d|20\d\d)\) (?:is|was) (?:an?|the) (?P<what>[^.;()]{0,90})")
"""Debt of Honor (1994) is a thriller novel."""

_CROSSED = "in|of|which|that|who|when|where|by|for|from|between|on|to|during"
PRONOUN = re.compile(r"\b(?:he|she|his|her|him)\b", re.IGNORECASE)
PERSON = re.compile(
    rf"\b(?:is|was) (?:an?|the|one of the) (?:(?!(?:{_CROSSED})\b)[\w’'-]+,? (?:and )?){{0,5}}?"
    rf"(?!(?:{_WORDS['no_person']})\b)(?:{_WORDS['person']})\b"
)
"""A predicate whose noun means a person, as far as its ending shows."""
OFFICE = re.compile(rf"\b(?:{_WORDS['office']})\b[^.;()]{{0,60}}\((?=(?:r\.|reigned|ruled|from)?\s?\d)")
