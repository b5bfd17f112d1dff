"""Numbers that look like years and are none: quantities, identifiers, titles, pages, clock times."""

from __future__ import annotations

import re

_REACH = 32
"""Characters before a number that are looked at."""

TITLES = (
    "2001: A Space Odyssey", "2010: Odyssey Two", "2010: The Year We Make Contact", "2061: Odyssey Three",
    "3001: The Final Odyssey", "1941 (film)", "1984 (novel)", "1984 (film)", "1984 (book)", "1984 (advertisement)",
    "1632 (novel)", "1602 (comics)", "2012 (film)", "2046 (film)", "2112 (album)", "1989 (album)", "1776 (musical)",
)  # fmt: skip
"""Works whose name is a number; a year in their name is no date."""

_NUMBERED = """
room page pages pp p no nos num number numbers flight route highway motorway channel article section sections
chapter volume vol line lines verse verses psalm sonnet opus op bwv kv rv hob ngc ic messier hd hip hr class
series mark resolution regulation rfc iso din intel ibm cdc univac code zip postcode box extension ext unit
locomotive engine bus train patent case form paragraph item stanza lot grade size rated elo rating elevation
altitude population apartment suite building gate squadron interstate exit version figure fig table equation eq
hull pennant proposition psi isbn issn pmid doi oclc port channels column columns folio ff note notes sura minor
frequency score area weight speed length diameter distance capacity circulation bill
"""
_PLACES = (
    "Route|Road|Highway|Street|Avenue|Orwell's|Orwell’s|Runner|Cyberpunk|Anno|Race|Fahrenheit|Catch|Area|Porsche|"
    "Peugeot|Boeing|Airbus|Radeon|GeForce|Pentium|Psalm|Title|Studio|Club|Room|Nokia"
)
_BEFORE = re.compile(
    rf"(?:\b(?i:{'|'.join(_NUMBERED.split())})\.?\s?(?i:of\s|is\s|was\s|at\s)?|\b(?:{_PLACES})\s|[$£€¥₹#№§@+<>±×*]\s?"
    r"|\bUS\$\s?|\d[:.,/–-]|(?<!pre)(?<!post)(?<!mid)(?<!Pre)(?<!Post)(?<!Mid)[A-Za-z]-|[a-z]/|\b(?:Rs|US|km|kr|DM|Cr)\.?\s)\Z"
)

_UNITS = """km|kms|m|mi|ft|cm|mm|nm|in\\.|yd|kg|g|mg|lb|lbs|oz|t|ha|hp|kW|MW|GW|W|kWh|V|A|K|Hz|kHz|MHz|GHz|bits?|bytes?|
kB|KB|MB|GB|TB|kbit|Mbit|mph|kph|rpm|bhp|bp|ppm|psi|kPa|hPa|MPa|Pa|mbar|eV|keV|MeV|GeV|J|kJ|cal|kcal|dB|mAh|cc|
kilomet\\w+|met(?:er|re)s?|miles?|feet|foot|inch(?:es)?|yards?|kilograms?|grams?|pounds?|tons?|tonnes?|acres?|
hectares?|square|cubic|lit(?:er|re)s?|gallons?|barrels?|volts?|watts?|hours?|hrs?|minutes?|seconds?|days?|weeks?|
months?|years?|degrees?|percent|per\\s?cent|million|billion|trillion|thousand|hundred|dozen|dollars?|euros?|francs?|
marks|yen|rupees?|pesos?|rubles?|roubles?|crowns|ducats|florins|shillings|pence|livres|talents|light[- ]years?|
parsecs?|knots?|fathoms?|leagues|horsepower|calories|pixels?|lines|characters|words|pages|GMT|UTC|BST|EST|PST|CET|
a\\.?m\\.?|p\\.?m\\.?|BP|points|runs|goals|wickets|votes|seats|times|copies"""
_AFTER = re.compile(
    rf"(?:\s?[%‰°′″]|[A-Za-z_²³]|[.,]\d|:\d|[-–]?\s?(?:{_UNITS.replace(chr(10), '')})(?![\w])|\s?[×x]\s?\d"
    r"|-(?!born|built|based|model|era|style|vintage|present|released|founded|published|made|set|season|type|dated|to-)[a-z]"
    r"|\s?/\s?(?:km|s|h|kg)\b)"
)
_THINGS = re.compile(
    r"\s(?:different\s|other\s|known\s|new\s|more\s|additional\s|(?:[a-z]+ed|[a-z]+ing|[a-z]+ic|[a-z]+al|[a-z]+an)\s)?"
    r"(?:people|persons|inhabitants|residents|men|women|children|soldiers|troops|students|pupils|species|islands|members|"
    r"employees|workers|ships|vessels|aircraft|planes|tanks|houses|homes|families|households|villages|towns|cities|"
    r"prisoners|refugees|delegates|languages|speakers|items|objects|works|books|volumes|articles|letters|poems|songs|"
    r"paintings|stars|galaxies|asteroids|genes|cases|deaths|casualties|horses|cattle|sheep|slaves|settlers|colonists|"
    r"spectators|visitors|passengers|units|stores|shops|restaurants|schools|churches|copies|guns|rounds|bombs|rooms|"
    r"steps|base\s?pairs|individuals|patients|participants|players|games|matches|performances|episodes|monks|knights|"
    r"cavalry|infantry|casualties|civilians|victims|dead|wounded|injured|kinds|types|varieties|ways|signatures)\b"
)
_PLURAL = re.compile(
    r"\s(?!(?:was|is|has|as|its|his|this|always|across|previous|thus|plus|versus|besides|perhaps|sometimes|unless|does)\b)"
    r"[a-z]{3,}s\b"
)
_AMOUNT = re.compile(
    r"\b(?:over|(?:more|less|fewer|greater|larger|higher) than|at least|nearly|almost|up to|exceed(?:ed|ing|s)?|"
    r"as (?:many|much) as|some|only|another|totall?ing|total of|"
    r"sold|scored|produced|employ(?:s|ed|ing)?|contain(?:s|ed|ing)?|have|has|had|"
    r"estimated|average of|maximum of|minimum of|(?:all|these|those|first|last|next|top|every) ?(?:of )?(?:the )?)\s\Z",
    re.IGNORECASE,
)
_DATING = re.compile(
    r"\b(?:in|since|until|till|by|from|during|before|after|between|circa|of|for|the|through|early|mid|late|to|year|and|"
    r"his|her|their|its|a|an|this|that|born|died|late|around|about)[\s-]+\Z",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"\b(?:in|since|until|till|by|from|during|before|after)(?:\s+(?:about|around|circa))?\s+\Z", re.I
)
_LOWER_NOUN = re.compile(
    r"\s(?!(?:and|the|when|as|he|she|it|they|we|to|in|at|by|on|for|with|but|or|until|after|before|while|who|which|that|was|is|"
    r"were|are|had|has|have|did|his|her|their|its|a|an|of|from|under|because|where|there|this|these|not|also|then|"
    r"if|so|into|over|through|during|than|both)\b)[a-z]"
)


def is_false_friend(text: str, start: int, end: int) -> bool:
    """Whether the bare number ``text[start:end]`` is a quantity, an identifier or a title and no year.

    >>> is_false_friend("He lived in room 1984.", 17, 21)
    True
    """
    before = text[max(0, start - _REACH) : start]
    if _AFTER.match(text, end) or _BEFORE.search(before):
        return True
    following = text[start : start + _REACH]
    if following.startswith(TITLES):
        return True
    if _THINGS.match(text, end):
        return not _PREPOSITION.search(before) and not before.endswith((" the ", "The "))
    if _AMOUNT.search(before) and _LOWER_NOUN.match(text, end):
        return True
    is_round = text[end - 2 : end] in ("00", "50")
    return bool(is_round and _PLURAL.match(text, end) and not _DATING.search(before))
