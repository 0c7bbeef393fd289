-- The store itself: one row. It counts the rows of the journal and the words about halts, so that what is missing at their ends is noticed.
CREATE TABLE store (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    id      TEXT    NOT NULL CHECK (length(id) = 32),
    rows    INTEGER NOT NULL CHECK (rows >= 0),
    words   INTEGER NOT NULL CHECK (words >= 0)
) STRICT;

-- One row per portfolio: its head, and what follows from its records (standing, the latest batch, the time of the last change).
CREATE TABLE portfolio (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    sequence   INTEGER NOT NULL CHECK (sequence > 0),
    token      INTEGER NOT NULL CHECK (token >= 0),
    place      INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    changed_at INTEGER NOT NULL,
    standing   TEXT    NOT NULL,
    batch      INTEGER REFERENCES batch (number)
) STRICT;

-- One row per record, in the order of the commits. No index but the place: a portfolio is read from its head backwards, by `before`.
CREATE TABLE journal (
    place     INTEGER PRIMARY KEY,
    portfolio INTEGER NOT NULL REFERENCES portfolio (number),
    sequence  INTEGER NOT NULL CHECK (sequence > 0),
    token     INTEGER NOT NULL CHECK (token >= 0),
    before    INTEGER NOT NULL CHECK (before >= 0),
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    record    TEXT    NOT NULL,
    alerts    BLOB    NOT NULL CHECK (length(alerts) IN (0, 32)),
    previous  BLOB    NOT NULL CHECK (length(previous) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- One row for each time that a batch was open; one that a person has tried again has several.
CREATE TABLE batch (
    number    INTEGER PRIMARY KEY,
    portfolio INTEGER NOT NULL REFERENCES portfolio (number),
    id        TEXT    NOT NULL,
    opened    INTEGER NOT NULL CHECK (opened > 0),
    closed    INTEGER CHECK (closed >= opened),
    outcome   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_open_batch ON batch (portfolio) WHERE closed IS NULL;

-- Alerts, in the order of their commits. `place` is the last row of the commit, whose `alerts` covers them.
CREATE TABLE outbox (
    number       INTEGER PRIMARY KEY,
    portfolio    INTEGER NOT NULL REFERENCES portfolio (number),
    sequence     INTEGER NOT NULL,
    place        INTEGER NOT NULL REFERENCES journal (place),
    alert        TEXT    NOT NULL,
    acknowledged BLOB,
    UNIQUE (portfolio, sequence)
) STRICT;
CREATE INDEX pending_alert ON outbox (number) WHERE acknowledged IS NULL;

-- Every word of a person about halts, in order. One that no other followed stands.
CREATE TABLE halt (
    number      INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('halt', 'release')),
    scope       TEXT    NOT NULL,
    word        TEXT    NOT NULL,
    followed_by INTEGER CHECK (followed_by > number),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX last_word ON halt (scope) WHERE followed_by IS NULL;

-- The last lease of each portfolio. The row stays when the lease ends, and with it the last token. `holder` is empty when it was given back.
CREATE TABLE lease (
    portfolio    TEXT    PRIMARY KEY,
    token        INTEGER NOT NULL CHECK (token > 0),
    holder       TEXT    NOT NULL,
    process      TEXT    NOT NULL,
    granted_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expiry       INTEGER NOT NULL CHECK (expiry >= 0),
    heartbeat    INTEGER NOT NULL CHECK (heartbeat >= 0)
) STRICT, WITHOUT ROWID;
