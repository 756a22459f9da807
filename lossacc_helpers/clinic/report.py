"""A diagnosis as a report: Markdown, a page of HTML, or a part of a page."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a diagnosis has its reports as methods
    from lossacc_helpers.clinic.findings import Diagnosis

_TITLE = "What the curves say"


def as_markdown(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as a report in Markdown."""
    lines = [f"## {_TITLE}", "", _summary(diagnosis), ""]
    for rank, finding in enumerate(diagnosis.findings, start=1):
        cause = finding.cause
        lines += [f"### {rank}. {finding.slug} ({finding.score:.2f})", "", f"*{cause.family}.* {cause.says}", ""]
        lines += [f"- for it: {_plain(sentence)}" for sentence in finding.evidence]
        lines += [f"- against it: {_plain(sentence)}" for sentence in finding.against]
        lines += [f"- to settle it: {cause.experiment}{finding.in_lesson}", f"- what mends it: {cause.fix}", ""]
    if diagnosis.told_apart:
        lines += ["### One or the other?", ""]
        lines += [f"- **{one}** or **{other}**: {how}" for (one, other), how in diagnosis.told_apart.items()]
        lines.append("")
    lines += [f"> {_plain(remark)}" for remark in diagnosis.remarks]
    return "\n".join(lines).rstrip() + "\n"


def as_html(diagnosis: Diagnosis, picture: bytes | None = None) -> str:
    """Return a diagnosis as a page of HTML that needs nothing else."""
    shown = ""
    if picture is not None:
        image = b64encode(picture).decode("ascii")
        shown = f'<img src="data:image/png;base64,{image}" alt="{escape(_summary(diagnosis))}">\n'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_TITLE}</title>\n<style>\n'
        "body { font: 16px/1.5 system-ui, sans-serif; max-width: 52em; margin: 2em auto; padding: 0 1em; }\n"
        "img { max-width: 100%; }\n</style>\n</head>\n<body>\n"
        f"<h1>{_TITLE}</h1>\n<p>{escape(_summary(diagnosis))}</p>\n{shown}{as_fragment(diagnosis)}\n</body>\n</html>\n"
    )


def as_fragment(diagnosis: Diagnosis, *, open_first: int | None = None) -> str:
    """Return the findings as HTML, to stand in a page; with `open_first` all but so many are folded."""
    parts = []
    for rank, finding in enumerate(diagnosis.findings, start=1):
        cause = finding.cause
        head = f"{rank}. {finding.slug} ({cause.family}), {finding.score:.2f}: {cause.says}"
        items = [
            *(f"<b>For it:</b> {escape(sentence)}" for sentence in finding.evidence),
            *(f"<b>Against it:</b> {escape(sentence)}" for sentence in finding.against),
            f"<b>To settle it:</b> {escape(cause.experiment + finding.in_lesson)}",
            f"<b>What mends it:</b> {escape(cause.fix)}",
        ]
        body = "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"
        if open_first is None:
            parts.append(f"<h2>{escape(head)}</h2>\n{body}")
        else:
            flag = " open" if rank <= open_first else ""
            parts.append(f"<details{flag}><summary>{escape(head)}</summary>{body}</details>")
    rows = [
        f"<li><b>{escape(one)}</b> or <b>{escape(other)}</b>? {escape(how)}</li>"
        for (one, other), how in diagnosis.told_apart.items()
    ]
    if rows:
        parts.append(f"<p>One or the other?</p><ul>{''.join(rows)}</ul>")
    parts += [f"<p><i>{escape(remark)}</i></p>" for remark in diagnosis.remarks]
    return "\n".join(parts)


def _summary(diagnosis: Diagnosis) -> str:
    count = len(diagnosis.log.epochs)
    given = [f"{count} epoch{'s' if count > 1 else ''}"]
    if diagnosis.classes:
        given.append(f"{diagnosis.classes} classes")
    if diagnosis.validation_size:
        given.append(f"{diagnosis.validation_size} validation samples")
    best = diagnosis.best
    return f"{', '.join(given)}. What fits best: {best.slug} ({best.cause.family}), {best.score:.2f} of 1."


def _plain(sentence: str) -> str:
    """Return a sentence whose characters Markdown takes for themselves."""
    return re.sub(r"([\\`*_<>|#])", r"\\\1", sentence)
