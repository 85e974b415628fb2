"""The schema, as named steps that are each applied once. Never edit a step that has shipped: add one."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("deskloop")


def _script(db: Database, sql: str) -> None:
    """Run the statements of *sql* one by one, inside the migration's own transaction.

    (``executescript`` would commit first.) Statements are separated by a line that holds only ``--``."""
    for statement in sql.split("\n--\n"):
        db.conn.execute(statement)


def _append_only(db: Database, *tables: str) -> None:
    for table in tables:
        for action in ("UPDATE", "DELETE"):
            db.conn.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


@migrations()
def m001_conversations(db: Database) -> None:
    _script(
        db,
        """
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL, archived_at TEXT, archived_by TEXT
)
--
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations(id),
    role TEXT NOT NULL CHECK (role IN ('customer', 'bot')),
    text TEXT NOT NULL,
    in_reply_to INTEGER REFERENCES turns(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    CHECK ((role = 'bot') = (in_reply_to IS NOT NULL))
)
--
CREATE INDEX turns_by_conversation ON turns(conversation_id, id)
--
CREATE INDEX turns_by_message ON turns(in_reply_to) WHERE in_reply_to IS NOT NULL
--
CREATE TABLE replies (
    turn_id INTEGER PRIMARY KEY REFERENCES turns(id),
    version TEXT NOT NULL, decoding TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'failed' CHECK (state IN ('complete', 'stopped', 'failed')),
    finished_at TEXT, new_tokens INTEGER, seconds REAL, first_token_seconds REAL
)
--
CREATE TABLE corrections (
    id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies(turn_id),
    text TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX corrections_by_reply ON corrections(reply_id)
--
CREATE TABLE approvals (
    id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies(turn_id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX approvals_by_reply ON approvals(reply_id)
""",
    )
    _append_only(db, "corrections", "approvals")


@migrations()
def m002_pairs(db: Database) -> None:
    _script(
        db,
        """
CREATE TABLE splits (
    key TEXT PRIMARY KEY,
    split TEXT NOT NULL CHECK (split IN ('train', 'heldout')),
    reason TEXT NOT NULL, decided_at TEXT NOT NULL, used_by_run INTEGER
)
--
CREATE TRIGGER splits_used_stay_out_of_the_gate BEFORE UPDATE OF split ON splits
WHEN old.used_by_run IS NOT NULL AND old.split = 'train' AND new.split = 'heldout'
BEGIN SELECT RAISE(ABORT, 'a question that was trained on cannot become a test'); END
--
CREATE TABLE pairs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL REFERENCES splits(key),
    content_sha256 TEXT NOT NULL,
    instruction TEXT NOT NULL, history TEXT NOT NULL, output TEXT NOT NULL,
    lang TEXT NOT NULL, category TEXT,
    source TEXT NOT NULL CHECK (source IN ('correction', 'approval', 'import', 'sample')),
    source_ref TEXT, reply_id INTEGER REFERENCES replies(turn_id),
    pinned INTEGER NOT NULL DEFAULT 0,
    excluded_at TEXT, excluded_by TEXT, excluded_why TEXT,
    superseded_by INTEGER REFERENCES pairs(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX pairs_by_key ON pairs(key)
--
CREATE INDEX pairs_by_content ON pairs(content_sha256)
--
CREATE INDEX pairs_by_reply ON pairs(reply_id) WHERE reply_id IS NOT NULL
--
CREATE TRIGGER pairs_text_stays BEFORE UPDATE OF instruction, history, output, key, source ON pairs
BEGIN SELECT RAISE(ABORT, 'the text of a pair is append-only'); END
--
CREATE TRIGGER pairs_no_delete BEFORE DELETE ON pairs
BEGIN SELECT RAISE(ABORT, 'pairs are excluded, never deleted'); END
""",
    )


@migrations()
def m003_runs(db: Database) -> None:
    _script(
        db,
        """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL, phase TEXT NOT NULL DEFAULT '', recipe TEXT NOT NULL, parent TEXT NOT NULL,
    base_fingerprint TEXT, data_hash TEXT, candidate TEXT,
    verdict TEXT CHECK (verdict IN ('promote', 'reject', 'inconclusive')),
    report TEXT, failure TEXT, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    started_at TEXT, finished_at TEXT, pid INTEGER
)
--
CREATE UNIQUE INDEX one_live_run ON runs((1)) WHERE state IN ('queued', 'training', 'evaluating')
--
CREATE TABLE run_states (
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id), state TEXT NOT NULL, at TEXT NOT NULL
)
--
CREATE TABLE run_events (
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id),
    at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
)
--
CREATE INDEX run_events_by_run ON run_events(run_id, id)
--
CREATE TABLE run_pairs (
    run_id INTEGER NOT NULL REFERENCES runs(id), pair_id INTEGER NOT NULL REFERENCES pairs(id),
    split TEXT NOT NULL, weight INTEGER NOT NULL, PRIMARY KEY (run_id, pair_id)
) WITHOUT ROWID
--
CREATE INDEX run_pairs_by_pair ON run_pairs(pair_id)
--
CREATE TABLE judged_answers (
    run_id INTEGER NOT NULL REFERENCES runs(id), pair_id INTEGER NOT NULL REFERENCES pairs(id),
    kind TEXT NOT NULL CHECK (kind IN ('heldout', 'correction')),
    before TEXT NOT NULL, after TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT,
    PRIMARY KEY (run_id, pair_id, kind)
)
""",
    )
    _append_only(db, "run_states", "run_events")


@migrations()
def m004_versions(db: Database) -> None:
    _script(
        db,
        """
CREATE TABLE adapter_versions (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE,
    manifest_sha256 TEXT NOT NULL, base_fingerprint TEXT NOT NULL, method TEXT NOT NULL, recipe TEXT NOT NULL,
    run_id INTEGER REFERENCES runs(id), created_at TEXT NOT NULL,
    CHECK (name = 'v' || number)
)
--
CREATE TABLE promotions (
    id INTEGER PRIMARY KEY,
    version TEXT REFERENCES adapter_versions(name), -- NULL is the bare base
    kind TEXT NOT NULL CHECK (kind IN ('gate', 'manual', 'forced', 'rollback', 'probe-failed')),
    reason TEXT, at TEXT NOT NULL, who TEXT NOT NULL, run_id INTEGER REFERENCES runs(id),
    CHECK (kind != 'forced' OR reason IS NOT NULL)
)
--
CREATE TABLE answers (key TEXT PRIMARY KEY, text TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID
--
CREATE TABLE settings (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL, updated_by TEXT NOT NULL
)
""",
    )
    _append_only(db, "adapter_versions", "promotions")


@migrations()
def m005_search(db: Database) -> None:
    # The text is indexed in segmented form (store.text.segment), written by the repositories in the
    # transaction of the row itself: a trigger could not call Python from another tool's connection.
    _script(
        db,
        """
CREATE VIRTUAL TABLE turns_text USING fts5(body, tokenize = "unicode61 remove_diacritics 2")
--
CREATE VIRTUAL TABLE pairs_text USING fts5(body, tokenize = "unicode61 remove_diacritics 2")
""",
    )


@migrations()
def m006_imported_conversations(db: Database) -> None:
    # A conversation that was imported is known again by the digest at the end of its source.
    db.conn.execute("CREATE INDEX conversations_by_digest ON conversations(substr(source, -24))")


@migrations()
def m007_review(db: Database) -> None:
    # certainty: the mean natural logarithm of the probabilities of a reply's tokens. A withdrawal takes one judgement
    # back; settled are two pairs that may stand side by side; cleared are pairs whose personal data may train.
    _script(
        db,
        """
ALTER TABLE replies ADD COLUMN certainty REAL
--
CREATE INDEX replies_by_state ON replies(state)
--
CREATE TABLE withdrawals (
    id INTEGER PRIMARY KEY,
    correction_id INTEGER UNIQUE REFERENCES corrections(id), approval_id INTEGER UNIQUE REFERENCES approvals(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    CHECK ((correction_id IS NULL) != (approval_id IS NULL))
)
--
CREATE TABLE skips (
    id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies(turn_id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX skips_by_reply ON skips(reply_id)
--
CREATE TABLE tags (
    pair_id INTEGER NOT NULL REFERENCES pairs(id), tag TEXT NOT NULL,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (pair_id, tag)
) WITHOUT ROWID
--
CREATE INDEX tags_by_tag ON tags(tag)
--
CREATE TABLE settled (
    low INTEGER NOT NULL REFERENCES pairs(id), high INTEGER NOT NULL REFERENCES pairs(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (low, high), CHECK (low < high)
) WITHOUT ROWID
--
CREATE TABLE cleared (
    pair_id INTEGER PRIMARY KEY REFERENCES pairs(id), created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE TABLE comparisons (
    id INTEGER PRIMARY KEY, instruction TEXT NOT NULL, history TEXT NOT NULL,
    version_left TEXT NOT NULL, version_right TEXT NOT NULL, answer_left TEXT NOT NULL, answer_right TEXT NOT NULL,
    blind INTEGER NOT NULL, vote TEXT CHECK (vote IN ('left', 'right', 'both', 'neither')),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE TABLE recipes (
    name TEXT PRIMARY KEY, recipe TEXT NOT NULL, updated_at TEXT NOT NULL, updated_by TEXT NOT NULL
)
""",
    )
    _append_only(db, "withdrawals", "skips", "comparisons")


# The judgement of a reply that stands: the newest that nobody withdrew.
_STANDING = """
SELECT word FROM (
    SELECT 'corrected' AS word, c.created_at AS at, 3 AS place FROM corrections c WHERE c.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.correction_id = c.id)
    UNION ALL SELECT 'approved', a.created_at, 2 FROM approvals a WHERE a.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.approval_id = a.id)
    UNION ALL SELECT 'skipped', '', 1 FROM skips s WHERE s.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.skip_id = s.id)
) ORDER BY at DESC, place DESC LIMIT 1
"""


@migrations()
def m008_judgement_that_stands(db: Database) -> None:  # longer than a function should be, but it has shipped
    # With 100,000 replies, "not yet judged" has to be one index away. Triggers keep the column true, whoever writes.
    # displaced_by: the correction's pair that put a test pair out, so that taking the correction back brings it back.
    _script(
        db,
        f"""
DROP TABLE withdrawals
--
CREATE TABLE withdrawals (
    id INTEGER PRIMARY KEY,
    correction_id INTEGER UNIQUE REFERENCES corrections(id), approval_id INTEGER UNIQUE REFERENCES approvals(id),
    skip_id INTEGER UNIQUE REFERENCES skips(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    CHECK ((correction_id IS NOT NULL) + (approval_id IS NOT NULL) + (skip_id IS NOT NULL) = 1)
)
--
ALTER TABLE replies ADD COLUMN judgement TEXT CHECK (judgement IN ('corrected', 'approved', 'skipped'))
--
UPDATE replies SET judgement = ({_STANDING.format(reply="replies.turn_id")})
--
CREATE TRIGGER corrections_stand AFTER INSERT ON corrections
BEGIN UPDATE replies SET judgement = 'corrected' WHERE turn_id = new.reply_id; END
--
CREATE TRIGGER approvals_stand AFTER INSERT ON approvals
BEGIN UPDATE replies SET judgement = 'approved' WHERE turn_id = new.reply_id; END
--
CREATE TRIGGER skips_stand AFTER INSERT ON skips
BEGIN UPDATE replies SET judgement = 'skipped' WHERE turn_id = new.reply_id AND judgement IS NULL; END
--
CREATE TRIGGER withdrawals_reopen AFTER INSERT ON withdrawals
BEGIN UPDATE replies SET judgement = ({_STANDING.format(reply="replies.turn_id")})
WHERE turn_id = coalesce((SELECT reply_id FROM corrections WHERE id = new.correction_id),
    (SELECT reply_id FROM approvals WHERE id = new.approval_id), (SELECT reply_id FROM skips WHERE id = new.skip_id));
END
--
DROP INDEX replies_by_state
--
CREATE INDEX replies_not_complete ON replies(turn_id) WHERE state != 'complete'
--
CREATE INDEX replies_by_judgement ON replies(judgement, turn_id) WHERE judgement IS NOT NULL
--
CREATE INDEX replies_to_review ON replies(turn_id)
WHERE judgement IS NULL AND state = 'complete' AND version != 'imported'
--
CREATE INDEX replies_to_review_by_certainty ON replies((certainty IS NULL), certainty, turn_id)
WHERE judgement IS NULL AND state = 'complete' AND version != 'imported'
--
CREATE INDEX turns_by_time ON turns(created_at)
--
CREATE INDEX turns_of_customers ON turns(created_by, id) WHERE role = 'customer'
--
ALTER TABLE pairs ADD COLUMN displaced_by INTEGER REFERENCES pairs(id)
--
DROP TRIGGER splits_used_stay_out_of_the_gate
--
CREATE TRIGGER splits_trained_stay_out_of_the_gate BEFORE UPDATE OF split ON splits
WHEN old.split = 'train' AND new.split = 'heldout' AND EXISTS (SELECT 1 FROM run_pairs r JOIN pairs p
    ON p.id = r.pair_id WHERE p.key = old.key AND r.split = 'train')
BEGIN SELECT RAISE(ABORT, 'a question that was trained on cannot become a test'); END
""",
    )
    _append_only(db, "withdrawals")


@migrations()
def m009_wishes(db: Database) -> None:
    # What an operator wants of a live run, for its process to read: any app may say it, whichever started the run.
    _script(
        db,
        """
CREATE TABLE wishes (
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id),
    wish TEXT NOT NULL CHECK (wish IN ('cancel', 'interrupt')),
    after_state INTEGER NOT NULL REFERENCES run_states(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX wishes_by_run ON wishes(run_id, id)
--
CREATE INDEX run_states_by_run ON run_states(run_id, id)
""",
    )
    _append_only(db, "wishes")


@migrations()
def m010_personal_data(db: Database) -> None:
    # What kinds of personal data a pair holds (store.personal). A pair's text stays, so it is looked through once:
    # by the newest step that says so, since the rules are those of now in any case.
    db.conn.execute(
        "CREATE TABLE personal_data (pair_id INTEGER PRIMARY KEY REFERENCES pairs(id), kinds TEXT NOT NULL)"
    )


def _look_through(db: Database) -> None:
    """Keep which kinds of personal data each pair holds."""
    from store.personal import kinds

    rows = db.conn.execute("SELECT id, instruction, history, output, lang FROM pairs").fetchall()
    for number, instruction, history, output, lang in rows:
        if found := kinds((instruction, history, output), lang):
            db.conn.execute("INSERT INTO personal_data (pair_id, kinds) VALUES (?, ?)", (number, ",".join(found)))


@migrations()
def m011_drafts(db: Database) -> None:
    # What operators were writing when their app had to end; a row goes when its text is taken up again.
    _script(
        db,
        """
CREATE TABLE drafts (
    id INTEGER PRIMARY KEY, text TEXT NOT NULL,
    conversation_id INTEGER REFERENCES conversations(id) ON DELETE CASCADE,
    reply_id INTEGER REFERENCES turns(id) ON DELETE CASCADE,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX drafts_by_conversation ON drafts(conversation_id)
--
CREATE INDEX drafts_by_reply ON drafts(reply_id)
""",
    )


@migrations()
def m012_bases(db: Database) -> None:
    # Which base each name means (store.bases); desks of before note it when their base next answers.
    db.conn.execute(
        "CREATE TABLE bases (name TEXT PRIMARY KEY, folder TEXT NOT NULL, digest TEXT NOT NULL, revision TEXT, "
        "set_up_at TEXT NOT NULL, set_up_by TEXT NOT NULL)"
    )


@migrations()
def m013_erasing(db: Database) -> None:
    # customer: whose conversation it is, by a name or number that the desk's people know. erased_at: when something was
    # taken out of a pair, which never trains as it is from then on. swept_at: when the database's files were written
    # anew after an erasure. removals: versions whose files are gone because of what they had learned.
    _script(
        db,
        """
ALTER TABLE conversations ADD COLUMN customer TEXT
--
CREATE INDEX conversations_of_customer ON conversations(customer) WHERE customer IS NOT NULL
--
ALTER TABLE pairs ADD COLUMN erased_at TEXT
--
CREATE INDEX pairs_erased ON pairs(id) WHERE erased_at IS NOT NULL
--
CREATE TABLE erasures (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL CHECK (subject IN ('customer', 'conversation', 'pair', 'text')),
    counts TEXT NOT NULL, versions TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, swept_at TEXT
)
--
CREATE TRIGGER erasures_no_delete BEFORE DELETE ON erasures
BEGIN SELECT RAISE(ABORT, 'erasures are a log'); END
--
CREATE TABLE removals (
    version TEXT PRIMARY KEY REFERENCES adapter_versions(name), why TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL
)
""",
    )
    _append_only(db, "removals")


@migrations()
def m014_more_personal_data(db: Database) -> None:
    # Names, addresses, birth dates and more count since then: the next step looks for them.
    pass


@migrations()
def m015_personal_data_again(db: Database) -> None:
    # Addresses of any street, names in more greetings, numbers with dots: what was cleared stays cleared.
    db.conn.execute("DELETE FROM personal_data")
    _look_through(db)


@migrations()
def m016_taught_questions(db: Database) -> None:
    # kind 'taught': a question that the version was taught and does not answer so. SQLite changes no CHECK, so the
    # table is made anew; nothing refers to it.
    _script(
        db,
        """
ALTER TABLE judged_answers RENAME TO judged_before
--
CREATE TABLE judged_answers (
    run_id INTEGER NOT NULL REFERENCES runs(id), pair_id INTEGER NOT NULL REFERENCES pairs(id),
    kind TEXT NOT NULL CHECK (kind IN ('heldout', 'correction', 'taught')),
    before TEXT NOT NULL, after TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT,
    PRIMARY KEY (run_id, pair_id, kind)
)
--
INSERT INTO judged_answers SELECT * FROM judged_before
--
DROP TABLE judged_before
""",
    )


_STANDING_OF_FOUR = """
SELECT word FROM (
    SELECT 'corrected' AS word, c.created_at AS at, 4 AS place FROM corrections c WHERE c.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.correction_id = c.id)
    UNION ALL SELECT 'approved', a.created_at, 3 FROM approvals a WHERE a.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.approval_id = a.id)
    UNION ALL SELECT 'rejected', x.created_at, 2 FROM rejections x WHERE x.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.rejection_id = x.id)
    UNION ALL SELECT 'skipped', '', 1 FROM skips s WHERE s.reply_id = {reply}
        AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.skip_id = s.id)
) ORDER BY at DESC, place DESC LIMIT 1
"""
# What names the column that gets a fourth word; SQLite lets no column go that an index or a trigger names.
_NAMING_JUDGEMENT = (
    ("TRIGGER", "corrections_stand"),
    ("TRIGGER", "approvals_stand"),
    ("TRIGGER", "skips_stand"),
    ("INDEX", "replies_by_judgement"),
    ("INDEX", "replies_to_review"),
    ("INDEX", "replies_to_review_by_certainty"),
)
_REJECTIONS = """
CREATE TABLE rejections (
    id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies(turn_id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
)
--
CREATE INDEX rejections_by_reply ON rejections(reply_id)
--
CREATE TABLE withdrawals_of_four (
    id INTEGER PRIMARY KEY,
    correction_id INTEGER UNIQUE REFERENCES corrections(id), approval_id INTEGER UNIQUE REFERENCES approvals(id),
    skip_id INTEGER UNIQUE REFERENCES skips(id), rejection_id INTEGER UNIQUE REFERENCES rejections(id),
    created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    CHECK ((correction_id IS NOT NULL) + (approval_id IS NOT NULL) + (skip_id IS NOT NULL)
        + (rejection_id IS NOT NULL) = 1)
)
--
INSERT INTO withdrawals_of_four SELECT id, correction_id, approval_id, skip_id, NULL, created_at, created_by
FROM withdrawals
--
DROP TABLE withdrawals
--
ALTER TABLE withdrawals_of_four RENAME TO withdrawals
--
ALTER TABLE replies RENAME COLUMN judgement TO judgement_of_three
--
ALTER TABLE replies ADD COLUMN judgement TEXT CHECK (judgement IN ('corrected', 'approved', 'rejected', 'skipped'))
--
UPDATE replies SET judgement = judgement_of_three WHERE judgement_of_three IS NOT NULL
--
ALTER TABLE replies DROP COLUMN judgement_of_three
"""
_REJECTIONS_STAND = f"""
CREATE TRIGGER rejections_stand AFTER INSERT ON rejections
BEGIN UPDATE replies SET judgement = 'rejected' WHERE turn_id = new.reply_id; END
--
CREATE TRIGGER withdrawals_reopen AFTER INSERT ON withdrawals
BEGIN UPDATE replies SET judgement = ({_STANDING_OF_FOUR.format(reply="replies.turn_id")})
WHERE turn_id = coalesce((SELECT reply_id FROM corrections WHERE id = new.correction_id),
    (SELECT reply_id FROM approvals WHERE id = new.approval_id), (SELECT reply_id FROM skips WHERE id = new.skip_id),
    (SELECT reply_id FROM rejections WHERE id = new.rejection_id));
END
"""


@migrations()
def m017_rejections(db: Database) -> None:
    # A rejection says that a reply was wrong, without saying what is right. Both tables that list the kinds of
    # judgements in a check get one more kind: withdrawals is written anew, and the column of replies.
    sql = "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?"
    again = [db.conn.execute(sql, (kind.lower(), name)).fetchone()[0] for kind, name in _NAMING_JUDGEMENT]
    for kind, name in _NAMING_JUDGEMENT:
        db.conn.execute(f"DROP {kind} {name}")
    _script(db, _REJECTIONS)
    for statement in again:
        db.conn.execute(statement)
    _script(db, _REJECTIONS_STAND)
    _append_only(db, "rejections", "withdrawals")


@migrations()
def m018_answers_from_corrections(db: Database) -> None:
    # The pair of the correction whose words a reply is, if no model made it.
    _script(
        db,
        """
ALTER TABLE replies ADD COLUMN from_correction INTEGER REFERENCES pairs(id)
--
CREATE INDEX replies_from_correction ON replies(from_correction) WHERE from_correction IS NOT NULL
""",
    )


@migrations()
def m019_shadows(db: Database) -> None:
    # Versions that answer unseen: a log, whose last row says which does (NULL: none), from which turn on; and what they
    # said. A shadow ends by itself with what makes it something else, whichever process writes that.
    last = "(SELECT version FROM shadows ORDER BY id DESC LIMIT 1)"
    _script(
        db,
        f"""
CREATE TABLE shadows (
    id INTEGER PRIMARY KEY, version TEXT REFERENCES adapter_versions(name), after_turn INTEGER NOT NULL,
    why TEXT, at TEXT NOT NULL, who TEXT NOT NULL
)
--
CREATE TABLE shadow_answers (
    reply_id INTEGER NOT NULL REFERENCES replies(turn_id), version TEXT NOT NULL REFERENCES adapter_versions(name),
    text TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (reply_id, version)
)
--
CREATE INDEX shadow_answers_by_version ON shadow_answers(version, reply_id)
--
CREATE TRIGGER promotions_end_shadows AFTER INSERT ON promotions WHEN new.version = {last}
BEGIN INSERT INTO shadows (version, after_turn, why, at, who)
VALUES (NULL, 0, new.version || ' was activated.', new.at, new.who); END
--
CREATE TRIGGER removals_end_shadows AFTER INSERT ON removals WHEN new.version = {last}
BEGIN INSERT INTO shadows (version, after_turn, why, at, who)
VALUES (NULL, 0, 'The files of ' || new.version || ' were removed.', new.at, new.who); END
--
CREATE TRIGGER erasures_end_shadows AFTER INSERT ON erasures
WHEN {last} IN (SELECT value FROM json_each(new.versions))
BEGIN INSERT INTO shadows (version, after_turn, why, at, who)
VALUES (NULL, 0, {last} || ' learned something that has been erased.', new.at, new.who); END
""",
    )
    _append_only(db, "shadows")


@migrations()
def m020_mistakes_of_runs(db: Database) -> None:
    # The wrong replies that a run learned from, as run_pairs has its pairs. erased_at: when something was taken out of
    # one, or of what was said before it.
    _script(
        db,
        """
CREATE TABLE run_mistakes (
    run_id INTEGER NOT NULL REFERENCES runs(id), reply_id INTEGER NOT NULL REFERENCES replies(turn_id), erased_at TEXT,
    PRIMARY KEY (run_id, reply_id)
) WITHOUT ROWID
--
CREATE INDEX run_mistakes_by_reply ON run_mistakes(reply_id)
--
CREATE INDEX run_mistakes_erased ON run_mistakes(run_id) WHERE erased_at IS NOT NULL
""",
    )


@migrations()
def m021_hand_over(db: Database) -> None:
    # chance: that a reply would be left as it stands; answer_from: the chance from which replies were given then.
    # draft: what the bot would have said, where the conversation was handed over to people instead. calibrations: what
    # makes a chance of what is known of a version's replies. Kept answers know how certain they were.
    _script(
        db,
        """
ALTER TABLE replies ADD COLUMN chance REAL
--
ALTER TABLE replies ADD COLUMN answer_from REAL
--
ALTER TABLE replies ADD COLUMN handed_over INTEGER NOT NULL DEFAULT 0
--
ALTER TABLE replies ADD COLUMN draft TEXT
--
CREATE INDEX replies_handed_over ON replies(turn_id) WHERE handed_over = 1 AND judgement IS NULL
--
DROP INDEX replies_to_review_by_certainty
--
CREATE INDEX replies_to_review_by_certainty
ON replies((chance IS NULL), chance, (certainty IS NULL), certainty, turn_id)
WHERE judgement IS NULL AND state = 'complete' AND version != 'imported'
--
CREATE TABLE calibrations (
    version TEXT PRIMARY KEY REFERENCES adapter_versions(name), body TEXT NOT NULL, created_at TEXT NOT NULL
)
--
ALTER TABLE answers ADD COLUMN certainty REAL
--
ALTER TABLE answers ADD COLUMN least REAL
""",
    )
