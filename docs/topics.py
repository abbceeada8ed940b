"""Rewrites the table of topics in docs/*/broker.md: `python docs/topics.py`."""

import re
from pathlib import Path

from brakepoint.files import write_whole
from brakepoint.services.topics import TOPICS
from brakepoint.texts import languages, text

DOCS = Path(__file__).parent
TABLE = re.compile(r"(?<=<!-- topics -->\n).*?(?=<!-- /topics -->)", re.DOTALL)


def table(lang: str) -> str:
    """The table of topics in Markdown."""

    def say(key: str) -> str:
        return text(f"live.topic.{key}", lang)

    columns = ("topic", "senders", "delivery", "most", "why")
    lines = [[say(column) for column in columns], ["---", "---", "---", "---:", "---"]]
    for topic in TOPICS:
        senders = say("everybody") if "*" in topic.senders else ", ".join(topic.senders)
        retained = say("retained" if topic.retain else "not_retained")
        name = f"`{topic.name}/{{service}}`" if topic.each else f"`{topic.name}`"
        most = f"{topic.max_bytes:,}".replace(",", text("number.thousands", lang))
        lines.append([name, senders, f"{topic.qos}, {retained}", most, say(f"reason.{topic.name}")])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def renewed(lang: str) -> str:
    """The page with its updated table."""
    return TABLE.sub(lambda _: table(lang), (DOCS / lang / "broker.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    for lang in languages():
        write_whole(DOCS / lang / "broker.md", renewed(lang).encode())
