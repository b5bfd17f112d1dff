"""What has to stand beside an article wherever it is shown: title, revision, link, licence, a note of what changed."""

from __future__ import annotations

from pydantic import BaseModel, Field

from deepred.corpus.licences import GENERATED_LICENCE, INVENTED, WIKI, WIKIPEDIA_LICENCE, wikipedia_link
from deepred.serve.index.index_records import Article

LICENCE_LINKS = {"CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/"}
"""Texts of the licences that have one."""


class Attribution(BaseModel):
    """Whose text this is, and what was done to it."""

    title: str = Field(description="The work's title.")
    author: str = Field(description="Who wrote it; for a wiki, its contributors.")
    revision_id: int = Field(description="The revision that was read; 0 where there are none.")
    revised: str = Field(description="When that revision was saved. It is later than `as_of`: attribution only.")
    link: str = Field(description="The original; empty where it has no address.")
    licence: str = Field(description="The licence of the text.")
    licence_link: str = Field(description="The licence's own text; empty where it has no address.")
    note: str = Field(description="What was changed.")

    def line(self) -> str:
        """All of it in a line of text."""
        revision = f", revision {self.revision_id}" if self.revision_id else ""
        parts = [f"“{self.title}” by {self.author}{revision}", self.link, self.licence, self.licence_link, self.note]
        return ". ".join(part for part in parts if part)


def attribute(article: Article) -> Attribution:
    """The attribution of an article as it is told here."""
    match = WIKI.match(article.origin) or WIKI.match(f"{article.origin}-")
    wiki = match[1] if match else ""
    is_wiki = article.source == "wikipedia"
    link = wikipedia_link(wiki, article.title, article.revision_id) if is_wiki and wiki not in {"", INVENTED} else ""
    licence = article.licence or (GENERATED_LICENCE if wiki == INVENTED else WIKIPEDIA_LICENCE if is_wiki else "")
    return Attribution(
        title=article.title,
        author=article.author or (_wiki_authors(wiki) if is_wiki else "unknown"),
        revision_id=article.revision_id,
        revised=article.timestamp if article.revision_id else "",
        link=link,
        licence=licence,
        licence_link=LICENCE_LINKS.get(licence, ""),
        note=_note(article),
    )


def _wiki_authors(wiki: str) -> str:
    return "a generated world" if wiki == INVENTED else "the contributors of Wikipedia"


def _note(article: Article) -> str:
    if article.source != "wikipedia":
        return "Modified: what the distributor added was removed, lines were joined into paragraphs."
    if not article.modified:
        return "Modified: markup was turned into plain text."
    return "Modified: markup became plain text, and sentences that may tell of a later day were removed or marked."
