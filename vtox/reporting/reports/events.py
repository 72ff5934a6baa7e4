"""The event of a report: what asked for a diagnosis, alarms, and what was done about them."""

from collections.abc import Mapping
from html import escape
from typing import Any

from vtox.reporting.reports.cards import fault_name, sentence, sentences, state_pill
from vtox.reporting.reports.contents import Contents
from vtox.reporting.reports.elements import sentence_case, utc
from vtox.reporting.reports.texts import say


def event_section(contents: Contents, text: Mapping[str, str]) -> str:
    """Return what asked for a diagnosis, the newest event first."""
    count = len(contents.records)
    if contents.machine.machine_id:
        lines = [text["event_machine"]]
        if not contents.events:
            lines.append(text["event_none"])
    else:
        lines = [text["event_file"] if count == 1 else say(text, "event_files", count=count)]
    if contents.left_out:
        lines.append(say(text, "left_out", count=contents.left_out))
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    rows = "".join(_row(e, text) for e in contents.events)
    events = f'<ol class="events">{rows}</ol>' if rows else ""
    return f"<section><h2>{escape(text['event'])}</h2>{events}{body}</section>"


def _row(e: Mapping[str, Any], text: Mapping[str, str]) -> str:
    parts = [f"<time>{escape(utc(e['t']))}</time>"]
    if e["fault"]:
        parts.append(f"<b>{escape(fault_name(e['fault'], text))}</b>")
    parts += _alert(e, text) if "event" in e else _action(e, text)
    return f"<li>{''.join(parts)}</li>"


def _alert(e: Mapping[str, Any], text: Mapping[str, str]) -> list[str]:
    word = escape(text.get(f"event_{e['event']}", str(e["event"])))
    level = "normal" if e["event"] == "cleared" else str(e["level"])
    act = text.get(f"action_{e.get('when_to_act')}", "")
    now = ", ".join(filter(None, (text["event_open"], act))) if e.get("open") else ""
    still = f' <span class="soft">{escape(now)}</span>' if now else ""
    said = sentence_case(sentences(e, text)) if e["code"] else ""
    why = f'<span class="soft">{escape(said)}</span>' if said else ""
    grows = "".join(
        f"<span>{escape(sentence_case(sentence(g, text)))}</span>" for g in e.get("growth", ())
    )
    return [f"<span>{word}</span>", state_pill(level, text), still, why, grows]


def _action(e: Mapping[str, Any], text: Mapping[str, str]) -> list[str]:
    words = [text.get(f"action_{e['action']}", str(e["action"]))]
    if e["outcome"]:
        words.append(text.get(f"outcome_{e['outcome']}", str(e["outcome"])))
    by = say(text, "action_by", name=e["by"]) if e["by"] else ""
    comment = f"<span>“{escape(e['text'])}”</span>" if e["text"] else ""
    return [
        f"<span>{escape(': '.join(words))}</span>",
        f'<span class="soft">{escape(by)}</span>',
        comment,
    ]
