"""Date templates of English, German, French, Spanish and Russian Wikipedia: their text, and what an infobox reads."""

import pytest

from deepred.dating.infobox_dates import infobox_evidence
from deepred.sources.wiki.local_dates import in_english, month_number, write_date
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse

ENGLISH = [
    # template, text, first and last day that an infobox with it states
    ("{{birth date|1930|1|2}}", "January 2, 1930", 19300102, 19300102),
    ("{{Birth date|df=yes|1930|01|02}}", "2 January 1930", 19300102, 19300102),
    ("{{Birthdate|1930|January|2}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|[[1930]]| 1 | 2 }}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|1=1930|2=1|3=2}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|year=1930|month=1|day=2}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|1930-01-02}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|2 January 1930}}", "2 January 1930", 19300102, 19300102),
    ("{{birth date|2|1|1930}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth date|January|2|1930}}", "January 2, 1930", 19300102, 19300102),
    ("{{dob|1930|1}}", "January 1930", 19300101, 19300131),
    ("{{bda|1930|1|2|df=y}}", "2 January 1930", 19300102, 19300102),
    ("{{birth-date and age|2 January 1930}}", "2 January 1930", 19300102, 19300102),
    ("{{birth date and age2|2006|10|28|1941|12|5}}", "December 5, 1941", 19411205, 19411205),
    ("{{birth date and given age|1930|1|2|45}}", "January 2, 1930", 19300102, 19300102),
    ("{{birth year and age|1930}}", "1930", 19300101, 19301231),
    ("{{birth year and age|1930|5}}", "May 1930", 19300501, 19300531),
    ("{{birth based on age as of date|42|1994|11|3}}", "1951 or 1952", 19510101, 19521231),
    ("{{birth date|-63|9|23}}", "September 23, 63 BC", -619077, -619077),
    ("{{BirthDeathAge|B|1930|1|2|2015|3|4}}", "January 2, 1930", 19300102, 19300102),
    ("{{BirthDeathAge||1930|1|2|2015|3|4}}", "March 4, 2015", 20150304, 20150304),
    ("{{death date|2015|3|4}}", "March 4, 2015", 20150304, 20150304),
    ("{{death date and age|2015|3|4|1930|1|2}}", "March 4, 2015", 20150304, 20150304),
    ("{{Death date and age|2015|3||1930|1|2}}", "March 2015", 20150301, 20150331),
    ("{{dda|2015|1930}}", "2015", 20150101, 20151231),
    ("{{death date and age|1930|1|2|2015|3|4}}", "March 4, 2015", 20150304, 20150304),
    ("{{death date and age|14|8|19|-63|9|23}}", "August 19, 14", 140819, 140819),
    ("{{death date and given age|1998|5|2|80}}", "May 2, 1998", 19980502, 19980502),
    ("{{death-date and age|4 March 2015|2 January 1930}}", "4 March 2015", 20150304, 20150304),
    ("{{death-date and age|2015-03-04|1930-01-02}}", "March 4, 2015", 20150304, 20150304),
    ("{{death-date and age|March 2015|1930}}", "March 2015", 20150301, 20150331),
    ("{{death-date and age|c. 1209 BC|c. 1250 BC}}", "c. 1209 BC", -12079899, -12078769),
    ("{{death year and age|2015|1930}}", "2015", 20150101, 20151231),
    ("{{Death year and age|2015|1930|5}}", "May 2015", 20150501, 20150531),
    ("{{death year and age|1930|2015}}", "2015", 20150101, 20151231),
    ("{{disappeared date and age|1937|7|2|1897|7|24}}", "July 2, 1937", 19370702, 19370702),
    ("{{start date|1941|12|7}}", "December 7, 1941", 19411207, 19411207),
    ("{{start-date|7 December 1941|7:48 a.m.}}", "7 December 1941", 19411207, 19411207),
    ("{{start date|1993|02|24|08|30||Z}}", "February 24, 1993", 19930224, 19930224),
    ("{{start date and age|1929|5|16|df=y}}", "16 May 1929", 19290516, 19290516),
    ("{{film date|1977|5|25|Los Angeles|1978|1|1|UK}}", "May 25, 1977", 19770525, 19770525),
    ("{{start and end dates|1969|7|16|1969|7|24}}", "July 16, 1969 – July 24, 1969", 19690716, 19690724),
    ("{{dts|20|July|1969}}", "July 20, 1969", 19690720, 19690720),
    ("{{dts|1969|7|20|format=dmy}}", "20 July 1969", 19690720, 19690720),
    ("{{date|2009-07-20|mdy}}", "July 20, 2009", 20090720, 20090720),
    ("{{FormatDate|2017-08-08|nbsp}}", "8 August 2017", 20170808, 20170808),
    ("{{OldStyleDate|12 April|1743|2 April}}", "12 April 1743 [O.S. 2 April]", 17430412, 17430412),
    ("{{OldStyleDateNY|12 April|1 April}} 1743", "12 April [O.S. 1 April] 1743", 17430101, 17431231),
    ("{{vgrelease|JP|May 5, 1980|NA|1981}}", "JP: May 5, 1980; NA: 1981", 19800505, 19800505),
]
OTHERS = [
    ("fr", "{{date|20|juillet|1969}}", "20 juillet 1969", 19690720, 19690720),
    ("fr", "{{date|1|7|1969|en astronautique}}", "1er juillet 1969", 19690701, 19690701),
    ("fr", "{{date-|6 octobre 2010}}", "6 octobre 2010", 20101006, 20101006),
    ("fr", "{{date||juillet|1969}}", "juillet 1969", 19690701, 19690731),
    ("fr", "{{date|||1969}}", "1969", 19690101, 19691231),
    ("fr", "{{date de naissance|20|juillet|1930|age=oui}}", "20 juillet 1930", 19300720, 19300720),
    ("fr", "{{date de décès|4|mars|2015|20|juillet|1930}}", "4 mars 2015", 20150304, 20150304),
    ("fr", "{{décès|4|3|2015|84}}", "4 mars 2015", 20150304, 20150304),
    ("es", "{{fecha|20|7|1969}}", "20 de julio de 1969", 19690720, 19690720),
    ("es", "{{fecha de inicio|1969|7|20}}", "20 de julio de 1969", 19690720, 19690720),
    ("es", "{{fecha de nacimiento|20|7|1930|edad}}", "20 de julio de 1930", 19300720, 19300720),
    ("es", "{{fecha de fallecimiento|4|3|2015|20|7|1930}}", "4 de marzo de 2015", 20150304, 20150304),
    ("es", "{{nacimiento|7|1930}}", "julio de 1930", 19300701, 19300731),
    ("ru", "{{дата рождения|20|7|1930}}", "20 июля 1930", 19300720, 19300720),
    ("ru", "{{дата смерти|4|3|2015|20|7|1930}}", "4 марта 2015", 20150304, 20150304),
    ("ru", "{{дата рождения||7|1930}}", "июль 1930", 19300701, 19300731),
    ("ru", "{{дата рождения|20.7.1930}}", "20 июля 1930", 19300720, 19300720),
    ("ru", "{{дата рождения|1930}}", "1930", 19300101, 19301231),
    ("de", "{{Datum|20|7|1969}}", "20. Juli 1969", 19690720, 19690720),
    ("de", "{{Geburtsdatum|20.7.1930}}", "20. Juli 1930", 19300720, 19300720),
    ("de", "20. Juli 1930 in Köln", "20. Juli 1930 in Köln", 19300720, 19300720),
    ("pt", "{{morte|4|3|2015|20|7|1930}}", "4 de março de 2015", 20150304, 20150304),
]


@pytest.mark.parametrize(("wiki", "template", "text", "first", "last"), [("en", *row) for row in ENGLISH] + OTHERS)
def test_date_template_says_its_date_in_text_and_infobox(wiki, template, text, first, last):
    prefixes = Prefixes.of(wiki)
    assert parse(f"X {template} Y", prefixes).text.replace("\n", " ") == f"X {text} Y"
    (found,) = parse(f"{{{{Infobox person\n| birth_date = {template}\n}}}}", prefixes).infobox_dates
    assert (found.value, found.first, found.last) == (text, first, last)


@pytest.mark.parametrize(
    ("wiki", "box", "kinds"),
    [
        ("en", "Infobox person|death_date={{death year and age|2015|1930}}", [("death", 20150101, 20151231)]),
        ("en", "Infobox person|born={{baa|42|1994|11|3}}", [("birth", 19510101, 19521231)]),
        (
            "en",
            "Persondata|DATE OF BIRTH=20 July 1930|DATE OF DEATH=2015",
            [("birth", 19300720, 19300720), ("death", 20150101, 20151231)],
        ),
        (
            "de",
            "Personendaten|GEBURTSDATUM=20. Juli 1930|STERBEDATUM=4. März 2015",
            [("birth", 19300720, 19300720), ("death", 20150304, 20150304)],
        ),
        (
            "fr",
            "Infobox Biographie|naissance=1er mai 1900|décès={{décès|4|3|2015|84}}",
            [("birth", 19000501, 19000501), ("death", 20150304, 20150304)],
        ),
        ("es", "Ficha de persona|fecha de fallecimiento=15 de marzo de 44 a. C.", [("death", -429685, -429685)]),
        ("ru", "Карточка|Дата рождения={{дата рождения|20|7|1930}}", [("birth", 19300720, 19300720)]),
    ],
)
def test_infobox_of_any_language_becomes_evidence(wiki, box, kinds):
    dates = parse(f"{{{{{box}}}}}", Prefixes.of(wiki)).infobox_dates
    rows = infobox_evidence([{"key": d.key, "value": d.value, "first": d.first, "last": d.last} for d in dates])
    assert [(row.kind, row.first, row.last) for row in rows] == kinds


def test_centuries_read_as_their_wiki_writes_them():
    assert parse("{{s|XIX|e}}, {{sp|XVIII|e|XIX|e}}", Prefixes.of("fr")).text == "XIXe siècle, XVIIIe et XIXe siècles"
    assert parse("{{siglo|xix}}", Prefixes.of("es")).text == "siglo XIX"
    assert parse("{{s|struck}} {{MONTHNAME|7}}", Prefixes.of("en")).text == "struck July"


def test_dates_are_written_and_read_back_in_every_language():
    for language in ("de", "fr", "es", "pt", "it", "nl", "pl", "ru", "sv"):
        written = write_date("1969", "7", "20", language)
        assert in_english(written, language) == "20 July 1969", language
        assert in_english(write_date("1969", "7", "", language), language) == "July 1969", language
        assert in_english(write_date("-44", "3", "1", language), language) == "1 March 44 BC", language
    assert [month_number(name) for name in ("Sept.", "jan", "13", "0", "Place", "")] == [9, 1, 0, 0, 0, 0]
