"""Is it worth spending the weeks on the larger model? A rule over what was measured of the small one.

In: the report's figures, those of ``capability`` and of ``interview``. Out: conditions, each passed, failed or open
(not measured, or its interval decides nothing), and a verdict: *go* when all pass, *no-go* when any fails, else
*undecided*. A condition fails only where its interval says so; nothing passes by being unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from deepred.evaluate.statistics import KNOWS, NEGLIGIBLE

State = Literal["passed", "failed", "open"]

GRAMMAR = 0.6
"""Share of minimal pairs whose lower bound must exceed this: chance is one half, BLiMP's 5-gram models stand at 0.6."""


@dataclass(frozen=True)
class Condition:
    """A condition with what was found, in words."""

    name: str
    state: State
    found: str


def readiness(report: Mapping[str, Any], capability: Mapping[str, Any], interview: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict with its conditions, as JSON; empty where neither stage is there."""
    if not capability and not interview:
        return {}
    conditions = [
        *(of_language(capability) if capability else ()),
        of_knowledge(report),
        of_ignorance(report),
        *(of_tuning(capability) if capability else ()),
        *(of_chat(interview) if interview else ()),
    ]
    states = [one.state for one in conditions]
    verdict = "no-go" if "failed" in states else "undecided" if "open" in states else "go"
    return {"verdict": verdict, "conditions": [asdict(one) for one in conditions]}


def above(name: str, figure: Mapping[str, Any], value: str, bar: float) -> Condition:
    """Passed where the lower bound exceeds a bar, failed where the upper bound does not reach it."""
    if figure.get(value) is None:
        return Condition(name, "open", str(figure.get("reason", "not measured")))
    state: State = "passed" if figure["low"] > bar else "failed" if figure["high"] < bar else "open"
    return Condition(name, state, f"{figure[value]:.2f} [{figure['low']:.2f}, {figure['high']:.2f}], bar {bar:.2f}")


def below(name: str, figure: Mapping[str, Any], value: str, bar: float) -> Condition:
    """Passed where the upper bound lies below a bar, failed where the lower bound does not."""
    if figure.get(value) is None:
        return Condition(name, "open", str(figure.get("reason", "not measured")))
    state: State = "passed" if figure["high"] < bar else "failed" if figure["low"] > bar else "open"
    return Condition(name, state, f"{figure[value]:.2f} [{figure['low']:.2f}, {figure['high']:.2f}], bar {bar:.2f}")


def of_language(capability: Mapping[str, Any]) -> list[Condition]:
    """The pre-trained model prefers grammatical sentences, and predicts text better than a compressor."""
    trained = capability["models"]["pre-trained"]
    return [
        above("it prefers grammatical sentences", trained["grammar"], "accuracy", GRAMMAR),
        below(
            "it needs fewer bits a byte than a general compressor (LZMA) on held-out text",
            trained["bits_per_byte"],
            "bits_per_byte",
            capability["compressor"],
        ),
    ]


def of_knowledge(report: Mapping[str, Any]) -> Condition:
    """It knows facts from before the cutoff beyond the floor."""
    figure = (report.get("gain") or {}).get("before") or {"reason": "no floor arm in this run"}
    return above("it knows earlier facts beyond the floor", figure, "gain", KNOWS)


def of_ignorance(report: Mapping[str, Any]) -> Condition:
    """It knows no later fact beyond the floor."""
    figure = (report.get("gain") or {}).get("after") or {"reason": "no floor arm in this run"}
    return below("what it gains on later facts is small", figure, "gain", NEGLIGIBLE)


def of_tuning(capability: Mapping[str, Any]) -> list[Condition]:
    """Fine-tuning and quantization cost no knowledge that the measurement can see."""
    found: list[Condition] = []
    for name, values in capability["against_pretrained"].items():
        if name == "base":
            continue
        figure = values["knowledge"]
        title = f"{name}: earlier facts are known as before fine-tuning"
        if figure["difference"] is None:
            found.append(Condition(title, "open", figure["reason"]))
            continue
        said = f"{100 * figure['difference']:+.0f} [{100 * figure['low']:+.0f}, {100 * figure['high']:+.0f}] points"
        said += f"; a fall below {100 * figure['detectable']:.0f} points would probably have gone unseen"
        found.append(Condition(title, "failed" if values["fell"] else "passed", said))
    return found


def of_chat(interview: Mapping[str, Any]) -> list[Condition]:
    """In a chat it tells earlier facts more often than by chance, and later ones no more often."""
    figures = interview["models"]["merged"]["prompts"]["persona"]
    told = figures["after"]["gain"]
    return [
        above(
            "asked in a chat, it tells earlier facts more often than by chance", figures["before"]["gain"], "gain", 0
        ),
        below("asked in a chat, it tells later facts hardly more often than by chance", told, "gain", NEGLIGIBLE),
    ]
