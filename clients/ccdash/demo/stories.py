"""Invented projects and what was worked on in them, for a demo that reads like somebody's weeks."""

from __future__ import annotations

from ccdash.demo.plan import Story

BOOKS, WEATHER, SHOP, GAME, NOTES = (
    "/home/dev/work/library-api",
    "/home/dev/work/weather-station",
    "/home/dev/work/bike-shop",
    "/home/dev/oss/tiny-chess",
    "/home/dev/oss/field-notes",
)
BOOK_FILES = ("src/library/loans.py", "src/library/models.py", "tests/test_loans.py", "src/library/api.py", "README.md")
WEATHER_FILES = ("firmware/src/sensor.rs", "firmware/src/main.rs", "server/ingest.py", "server/charts.py")
SHOP_FILES = ("app/cart/total.ts", "app/cart/Cart.tsx", "app/checkout/pay.ts", "tests/cart.test.ts", "styles/site.css")
GAME_FILES = ("src/board.go", "src/moves.go", "src/moves_test.go", "src/engine/search.go", "cmd/chess/main.go")
NOTE_FILES = ("src/sync.py", "src/markdown.py", "src/search.py", "tests/test_sync.py", "docs/format.md")

STORIES: tuple[tuple[str, str, Story], ...] = (
    (
        BOOKS,
        "fix/overdue-loans",
        Story(
            "Fix overdue loans across time zones",
            (
                "Loans are marked overdue a day early for readers in Auckland. Find out why and fix it.",
                "Good. Add a test with a reader west of Greenwich too.",
            ),
            (
                "The due date was compared in UTC. It is now compared in the reader's own time zone, and both tests pass.",
                "Added `test_due_date_in_honolulu`; it fails on the old code and passes now.",
            ),
            BOOK_FILES,
        ),
    ),
    (
        WEATHER,
        "feat/rain-gauge",
        Story(
            "Add the rain gauge to the station firmware",
            (
                "Add support for the tipping-bucket rain gauge on GPIO 14. Debounce it, 0.2 mm per tip.",
                "The counter jumps when the wind shakes the mast. What can we do in software?",
                "Yes, do the 80 ms hold-off.",
            ),
            (
                "The gauge counts tips in an interrupt and reports millimetres every minute.",
                "Shakes come below 60 ms, real tips at least 200 ms apart. A hold-off of 80 ms would part them.",
                "Done: tips within 80 ms of the last one are ignored, and the log says how many.",
            ),
            WEATHER_FILES,
        ),
    ),
    (
        SHOP,
        "feat/vouchers",
        Story(
            "Vouchers in the cart",
            (
                "Customers should be able to enter a voucher code in the cart. Percent and fixed amount, one per order.",
                "What happens with a 20 € voucher on a 15 € order?",
            ),
            (
                "Vouchers work in the cart and at checkout; the total never goes below zero.",
                "The order is free and the rest of the voucher stays valid. I wrote that down as a test.",
            ),
            SHOP_FILES,
        ),
    ),
    (
        GAME,
        "fix/en-passant",
        Story(
            "En passant leaves the king in check",
            ("perft(5) is off by 4 in position 3. I suspect en passant.",),
            ("A capture en passant removed two pawns from one rank and opened it to a rook. perft(5) is right now.",),
            GAME_FILES,
        ),
    ),
    (
        NOTES,
        "feat/offline-sync",
        Story(
            "Offline sync without lost edits",
            (
                "Two devices edit the same note offline. Make a plan for merging them without losing a line.",
                "Go with the three-way merge. Start with the storage of the base version.",
            ),
            (
                "Three ways compared; the three-way merge keeps files plain and needs one base version per note.",
                "Base versions are stored beside the notes and pruned after a successful sync.",
            ),
            NOTE_FILES,
        ),
    ),
    (
        BOOKS,
        "perf/search",
        Story(
            "Search of the catalogue in under 50 ms",
            ("Search takes 900 ms with 2 million titles. Profile it first, then propose.", "Do the trigram index."),
            (
                "Nine tenths of the time go into a sequential scan of `titles`; an index would serve both kinds of search.",
                "With the trigram index the slowest of 500 recorded searches takes 38 ms.",
            ),
            BOOK_FILES,
        ),
    ),
    (
        SHOP,
        "chore/checkout-tests",
        Story(
            "Flaky checkout tests",
            ("tests/cart.test.ts fails one time in ten on CI. Why?", "Fix it, but don't just add a retry."),
            (
                "The test reads the clock twice around midnight of the server's zone.",
                "The clock is passed in now; 500 runs, no failure.",
            ),
            SHOP_FILES,
        ),
    ),
    (
        WEATHER,
        "feat/charts",
        Story(
            "Weekly charts of wind and pressure",
            ("Draw weekly charts of wind and pressure for the web page, readable on a phone.",),
            ("Two charts, 12 KB together, no script needed; gaps in the data are drawn as gaps.",),
            WEATHER_FILES,
        ),
    ),
    (
        GAME,
        "feat/opening-book",
        Story(
            "Opening book from public games",
            ("Build an opening book from the games in data/, 12 plies deep, under 200 KB.", "Which openings got cut?"),
            (
                "The book holds 9,412 positions in 184 KB.",
                "Lines with fewer than 40 games: mostly the Grob and the Borg. The list is in docs/book.md.",
            ),
            GAME_FILES,
        ),
    ),
    (
        NOTES,
        "docs/format",
        Story(
            "Describe the file format",
            ("Write docs/format.md: what a note file looks like, with one example per feature.",),
            ("docs/format.md describes front matter, links, tags and attachments; every example is tested.",),
            NOTE_FILES,
        ),
    ),
    (
        BOOKS,
        "feat/reservations",
        Story(
            "Reservations queue",
            (
                "Readers want to reserve a book that is out. First come, first served, mail when it is back.",
                "Let them cancel as well.",
            ),
            ("Reservations are queued per title, and the first reader gets a mail on return.", "Cancelling works."),
            BOOK_FILES,
        ),
    ),
    (
        SHOP,
        "main",
        Story(
            "Release 2.4",
            ("Prepare release 2.4: changelog from the merged branches, bump the version, check the migrations.",),
            ("The changelog lists 14 changes, the version is 2.4.0, and the migrations run both ways on a copy.",),
            SHOP_FILES,
        ),
    ),
)


def story_of(number: int) -> tuple[str, str, Story]:
    """Project folder, branch and story of the session with this number: first the stories, then what follows them."""
    root, branch, story = STORIES[number % len(STORIES)]
    follow = number // len(STORIES)
    topic = story.title[0].lower() + story.title[1:]
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    if follow == 1:
        prompts = (f"Review {branch} against main before I merge it. Be strict.", "Fix the two you are sure of.")
        answers = ("Two defects, one doubt, and a test that cannot fail; the list is below.", "Both are fixed and tested.")
        return root, branch, Story(f"Review: {topic}", prompts, answers, story.files)
    if follow == 2:
        prompts = (f"Write the release note for this change: {topic}. Three sentences, for users.",)
        return root, "main", Story(f"Release note: {topic}", prompts, ("The note is in CHANGELOG.md.",), story.files)
    if follow == 3:
        prompts = (f"Somebody asks how this works: {topic}. Explain it from the code.", "Shorter, please.")
        answers = ("It comes down to three files; I go through them in order.", "In one sentence, then.")
        return root, "main", Story(f"Explain: {topic}", prompts, answers, story.files)
    return root, branch, story
