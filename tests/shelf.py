"""An index of a handful of articles in memory, for the tests of what serves one; it can be slow, broken or hostile."""

import time
from dataclasses import replace

from deepred.base.days import day
from deepred.serve.index.contract import MODES, BadQueryError, NotFoundError, UnavailableError
from deepred.serve.index.index_records import (
    Article,
    Event,
    Evidence,
    Health,
    Link,
    Paragraph,
    Result,
    SearchAnswer,
    Section,
    Sentence,
    WhyAnswer,
    YearAnswer,
)

CUTOFF = day(1969, 7, 20)
SCRIPT = "<script>alert('red')</script>"
IMAGE = '"><img src=x onerror=alert(1)>'


def sentence(text, year=None, reason="", links=()):
    return Sentence(
        0, len(text), text, kept=not reason, reason=reason, probability=0.97 if reason == "context" else None,
        day=None if year is None else day(year, 12, 31), links=links,
    )  # fmt: skip


def dates(page_id, title, kind, known, evidence=()):
    first = None if known is None else day(known)
    reason = f"first known {known}"
    return WhyAnswer(page_id, title, "", CUTOFF, kind, reason, first, None, first, False, tuple(evidence), 0, {})


def article(page_id, title, known, paragraphs, sections=(), kind="S", evidence=()):
    return Article(
        page_id, title, "", "wikipedia", 1000 + page_id, "2015-04-16T15:30:00Z", "enwiki", "", "CC BY-SA 4.0", CUTOFF,
        dates(page_id, title, kind, known, evidence), tuple(sections), tuple(paragraphs), True,
    )  # fmt: skip


CHESS = article(
    1, "Chess", 1475,
    [
        Paragraph(0, 0, (
            sentence("Chess is a board game of two players.", 1475, links=(Link(11, 21, "Board game"),)),
            sentence("Its rules are those of 1475.", 1475),
        )),
        Paragraph(1, 1, (
            sentence("A machine called the Turk toured in 1770.", 1770),
            sentence("Deep Blue won in 1997.", 1997, "date"),
            sentence("It was a computer.", 1997, "incoherent"),
            sentence("Botvinnik was champion in 1948.", 1948),
        )),
        Paragraph(2, 2, (sentence("Such machines were rare in 1960.", 1960),)),
    ],
    [Section(1, 2, "History"), Section(2, 3, "Machines"), Section(3, 2, "Play")],
    evidence=[Evidence("start", day(1475), day(1475, 12, 31), "category", 0.9, "games of 1475")],
)  # fmt: skip
HOSTILE = article(
    2, f"{SCRIPT} & {IMAGE}", 1900,
    [Paragraph(0, 0, (sentence(f"Red {SCRIPT} said {IMAGE} chess.", 1900, links=(Link(4, 8, IMAGE),)),)),
     Paragraph(1, 1, (sentence(f"{IMAGE} was cut.", 1990, "date"),))],
    [Section(1, 2, IMAGE)],
    evidence=[Evidence(SCRIPT, day(1900), None, IMAGE, 0.5, SCRIPT)],
)  # fmt: skip
LONG = article(
    3, "Long", 1800,
    [Paragraph(n, 0, (sentence(f"Sentence {n} of a long chess article. " * 8, 1800),)) for n in range(200)],
)  # fmt: skip
LATER = article(4, "Moon landing", 1969, [Paragraph(0, 0, (sentence("It was in 1969.", 1969, "class"),))], kind="N")
LATER = replace(LATER, dates=replace(LATER.dates, first_known=day(1969, 7, 20)))
REDIRECTS = {"Game of chess": "Chess"}


class Shelf:
    """The index."""

    cutoff = CUTOFF

    def __init__(self, articles=(CHESS, HOSTILE, LONG, LATER), seconds=0.0):
        self.articles = articles
        self.seconds = seconds
        self.down = False
        self.closed = False

    def _answer(self):
        if self.down:
            raise UnavailableError("the database does not answer", "start it")
        time.sleep(self.seconds)

    def _told(self, found, as_of, cut):
        if cut:
            return found
        as_of = min(as_of or CUTOFF, CUTOFF)
        if found.dates.first_known >= as_of:
            raise NotFoundError(f"there is no article {found.title!r} as of that day")
        paragraphs = [
            replace(p, sentences=kept)
            for p in found.paragraphs
            if (kept := tuple(s for s in p.sentences if s.kept and s.day < as_of))
        ]
        return replace(found, paragraphs=tuple(paragraphs), as_of=as_of)

    def search(self, query, *, as_of=None, after=None, classes=(), sources=(), mode="hybrid", page=1, size=10):
        self._answer()
        assert mode in MODES
        if "\x00" in query or not query.strip():
            raise BadQueryError("the query is empty")
        word = query.split()[0].casefold()
        found = []
        for item in self.articles:
            try:
                told = self._told(item, as_of, False)
            except NotFoundError:
                continue
            if (classes and item.dates.kind not in classes) or (after and item.dates.first_known < after):
                continue
            for paragraph in told.paragraphs:
                text = " ".join(s.text for s in paragraph.sentences)
                if word in text.casefold():
                    start = text.casefold().index(word)
                    marks = ((start, start + len(word)),)
                    found.append(
                        Result(item.page_id, paragraph.number, item.title, "", text[:300], marks,
                               item.dates.first_known, item.dates.kind, "wikipedia", 1.0)
                    )  # fmt: skip
        shown = tuple(found[(page - 1) * size : page * size])
        following = page + 1 if page * size < len(found) else None
        return SearchAnswer(query, min(as_of or CUTOFF, CUTOFF), mode, shown, len(found), page, size, following)

    def article(self, page, *, as_of=None, cut=False):
        self._answer()
        name = REDIRECTS.get(page, page)
        found = next((item for item in self.articles if name in {item.page_id, item.title}), None)
        if found is None:
            raise NotFoundError("there is no such article")
        told = self._told(found, as_of, cut)
        return replace(told, redirected_from=page) if name != page else told

    def why(self, page, *, as_of=None, cut=False):
        return replace(self.article(page, as_of=as_of, cut=cut).dates, as_of=min(as_of or CUTOFF, CUTOFF))

    def year(self, year, *, as_of=None, page=1, size=100):
        self._answer()
        events = [Event(day(year, 1, n), day(year, 1, n), "event", f"Event {n} {IMAGE}", 1) for n in (1, 2, 3)]
        as_of = min(as_of or CUTOFF, CUTOFF)
        told = [event for event in events if event.last < as_of]
        following = page + 1 if page * size < len(told) else None
        return YearAnswer(year, as_of, tuple(told[(page - 1) * size : page * size]), len(told), page, size, following)

    def random(self, *, as_of=None, seed=None):
        return self.article(1, as_of=as_of)

    def health(self):
        if self.down:
            return Health(False, {"store": "the database does not answer"})
        return Health(True, {"store": "ok", "search": "ok"}, "1", "demo", CUTOFF, "lsa", {"articles": 4})

    def close(self):
        self.closed = True
