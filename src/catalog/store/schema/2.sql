-- What is shown only for a time, and ids that were given elsewhere.

ALTER TABLE article ADD COLUMN due INTEGER NOT NULL DEFAULT 0;         -- not shown before: a stated date, or the end of the hold
UPDATE article SET due = published;
ALTER TABLE article ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;  -- the end of the hold of a new article
ALTER TABLE article ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;       -- 1 once it was: a clock that is set back takes nothing away
UPDATE article SET shown = 1 WHERE published <= unixepoch();
ALTER TABLE article ADD COLUMN expires INTEGER;                        -- not shown from then on
ALTER TABLE article ADD COLUMN guid TEXT;                              -- id in RSS and JSON Feed, where it is no IRI

CREATE INDEX article_due ON article (due) WHERE state = 0 AND shown = 0;
CREATE INDEX article_expires ON article (expires) WHERE state = 0 AND expires IS NOT NULL;

-- Ids that an article had before it was given another: they are never given to anybody else.
CREATE TABLE retired (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Entries of a feed that was published elsewhere, until the file of each is found.
CREATE TABLE adopted (
  number    INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  guid      TEXT,
  link      TEXT,                       -- as it is compared: host and path
  stem      TEXT,                       -- last part of the path, as a slug
  title     TEXT,                       -- as it is compared: folded
  published INTEGER,
  updated   INTEGER,
  article   INTEGER REFERENCES article (number)  -- whose id it became
) STRICT;

CREATE INDEX adopted_link ON adopted (link);
CREATE INDEX adopted_stem ON adopted (stem);
CREATE INDEX adopted_title ON adopted (title);
CREATE INDEX adopted_article ON adopted (article) WHERE article IS NOT NULL;
