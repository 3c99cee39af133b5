"""What an officer, a witness and a supervisor have to know, for the help page and on one sheet.

English here, as the key of its translation; `tests/webapp/catalogue.py` finds it by the table.
"""

from dataclasses import dataclass
from typing import Final

from scanner_station.domain.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its sentences, in the order in which they are needed."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """One role's guide. `shows_verdicts`: the table of what the station says stands in it."""

    title: str
    sections: tuple[Section, ...]
    shows_verdicts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What the station says about a card: the name of its shape, its word, what to do."""

    shape: str
    word: str
    sound: str
    do: str


SIGNS: Final = (
    Sign(
        shape="counted",
        word="Counted",
        sound="green, one high tone",
        do="Lay the card on the counted pile. It is on disk.",
    ),
    Sign(
        shape="already_counted",
        word="Already counted",
        sound="amber, two middle tones",
        do="It does not count twice. The page says when it was counted and by whom.",
    ),
    Sign(
        shape="not_on_manifest",
        word="Not on the manifest",
        sound="red, three falling tones",
        do="Set the card aside. The page names the good cards before and after it.",
    ),
    Sign(
        shape="unreadable",
        word="Unreadable",
        sound="grey, one low buzz",
        do="Wipe it, turn it, hold it nearer. Else type its number.",
    ),
    Sign(
        shape="waiting",
        word="Not confirmed",
        sound="red stripes, short low tone",
        do="Keep the card in your hand until the red is gone. It is sent again by itself.",
    ),
    Sign(
        shape="fault",
        word="The station has stopped",
        sound="the whole screen red, four tones",
        do="Count nothing and call the supervisor. What was green stays counted.",
    ),
)

FOOT: Final = "The same stands on every page behind the question mark."

GUIDES: Final = {
    Role.OFFICER: Guide(
        title="Guide for the officer",
        shows_verdicts=True,
        sections=(
            Section(
                title="Begin",
                lines=(
                    "Touch your name and type your PIN. Touch the page once: from then on it has "
                    "sound.",
                    "Look whether the right batch stands at the top, and whether camera or scanner "
                    "has its green dot.",
                    "Open a container before the first card goes into it.",
                ),
            ),
            Section(
                title="Each card",
                lines=(
                    "Show one card at a time. Wait for colour and tone, then lay it down.",
                    "The page shows the number and, when it is on the manifest, the name.",
                ),
            ),
            Section(
                title="When it is not that simple",
                lines=(
                    "A number that no machine reads: type it and press Enter. It is counted as "
                    "typed, and a second person looks at the card.",
                    "Nothing is legible: take the card in as unidentified, with a photograph.",
                    "A wrong card was counted: take it back and give the reason. Nothing is "
                    "erased; the log says both.",
                    "Somebody takes over: touch the change of officer, then the other name and "
                    "PIN.",
                    "A witness shows a key: look who holds the tablet, and write the name down.",
                    "A pause: write the closing figure down. It is asked for when you go on.",
                ),
            ),
            Section(
                title="Never",
                lines=(
                    "Never lay a card on the counted pile without green.",
                    "Never tell anybody your PIN, and never count under another name.",
                    "Never write an identity number into a reason or a note.",
                ),
            ),
        ),
    ),
    Role.WITNESS: Guide(
        title="Guide for the witness",
        sections=(
            Section(
                title="Come in",
                lines=(
                    "Scan the first code that the station shows, and compare the fingerprint on "
                    "both screens. That is needed once for each tablet.",
                    "Scan the second code, type your name and your institution. You need no "
                    "password.",
                    "Before the first card, type any words of your own: the log opens with them, "
                    "so it cannot have been made beforehand.",
                ),
            ),
            Section(
                title="What you see",
                lines=(
                    "The large number is how many cards are counted. It grows within a second.",
                    "Green and \N{LEFT DOUBLE QUOTATION MARK}live\N{RIGHT DOUBLE QUOTATION MARK}: "
                    "these are the numbers of now. Grey and \N{LEFT DOUBLE QUOTATION MARK}stale "
                    "since\N{RIGHT DOUBLE QUOTATION MARK}: they are old, do not rely on them.",
                    "Typed, added and unidentified cards stand apart, and so does what was taken "
                    "back.",
                    "Identity numbers are masked. You cannot change the count.",
                ),
            ),
            Section(
                title="What you can check",
                lines=(
                    "Count along: after ten cards the number must have grown by ten.",
                    "Take any card from the counted pile and ask \N{LEFT DOUBLE QUOTATION MARK}"
                    "Show me this card\N{RIGHT DOUBLE QUOTATION MARK}: the page says where it "
                    "stands.",
                    "Take one that was set aside: it must not be counted.",
                    "Sum up: categories and districts must both give the total.",
                ),
            ),
            Section(
                title="When something is wrong",
                lines=(
                    "Object, with a reason. It stands in the log at once, and the office must "
                    "answer before the batch is sealed. The answer appears under it.",
                    "A note asks for no answer. You may also say that you will not sign, and why.",
                ),
            ),
            Section(
                title="Sign and take along",
                lines=(
                    "After the first card, show your key: hold its code before the camera at the "
                    "table, and the officer names it in the log as yours.",
                    "Check and sign on your tablet before anything burns. Your tablet refuses when "
                    "the log was changed after your last signature.",
                    "Take the slip or a photograph of its code. With it anybody can show later, on "
                    "another computer, that nothing before it was changed.",
                ),
            ),
        ),
    ),
    Role.SUPERVISOR: Guide(
        title="Guide for the supervisor",
        sections=(
            Section(
                title="The day before",
                lines=(
                    "Add the officers on the page of people; let each type a PIN, and look away.",
                    "Create the batch: title, place, date, what stands on the cards.",
                    "Load the manifest. It is checked whole; each problem is named with its line "
                    "and what to do. After the first card it is fixed.",
                    "Connect the witnesses' tablets by the two codes of the page of tablets.",
                ),
            ),
            Section(
                title="While cards are counted",
                lines=(
                    "Watch the list of what happened today: who scanned, what was taken back, what "
                    "was set aside, what witnesses said.",
                    "Answer objections in time: an open one hinders sealing.",
                    "The station has stopped: check disk and plugs, then have it check the log and "
                    "go on. What was green stays counted.",
                ),
            ),
            Section(
                title="Closing",
                lines=(
                    "The page of closing names what stands in the way: differences, open "
                    "containers, typed cards nobody else has looked at, objections.",
                    "Two people explain each difference; the reason stands in the minutes.",
                    "Two people seal. After that nothing changes any more; a correction is a new "
                    "batch.",
                    "Let the witnesses sign before the fire. Write down how, when and before whom "
                    "the cards were destroyed.",
                ),
            ),
            Section(
                title="Papers and files",
                lines=(
                    "Enter number, place and signatories once, then print the minutes. The masked "
                    "copy is the one for publication.",
                    "Send the bundle to the province: it holds no identity number, and everybody "
                    "can check it.",
                    "CSV, Excel and the openings hold whole identity numbers. Give them to nobody "
                    "who has no right to them.",
                    "After the retention time, erase the people of a batch; its log can still be "
                    "checked.",
                ),
            ),
            Section(
                title="PINs and passphrases",
                lines=(
                    "A forgotten PIN is replaced on the page of people. A forgotten passphrase is "
                    "replaced on the machine itself only, and every open log says so.",
                ),
            ),
        ),
    ),
}
"""What each role's guide says."""


def sentences() -> list[str]:
    """Return every text of the guides, each to be translated."""
    found = [FOOT]
    found += [text for sign in SIGNS for text in (sign.word, sign.sound, sign.do)]
    for guide in GUIDES.values():
        found.append(guide.title)
        for section in guide.sections:
            found += [section.title, *section.lines]
    return found
