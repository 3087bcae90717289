-- The durable record of what was published. One row for each article that ever was: an id is never given twice.
-- Times are Unix seconds. The file can be read with sqlite3 while the daemon runs.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE article (
  number     INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,      -- permanent, the same in every format
  path       BLOB NOT NULL,             -- below the watched folder; where it was last, if it is gone
  state      INTEGER NOT NULL,          -- 0 in the feed (once due), 1 taken back by its writer, 2 deleted
  slug       TEXT NOT NULL,
  published  INTEGER NOT NULL,
  updated    INTEGER NOT NULL,
  revised    INTEGER NOT NULL,          -- when anything served of it last changed
  file_hash  BLOB NOT NULL,             -- of the file's bytes
  entry_hash BLOB NOT NULL,             -- of what the file says
  size       INTEGER NOT NULL,          -- what stat said when the file was read; these three are 0 if it must be
  mtime      INTEGER NOT NULL,          -- read again
  ctime      INTEGER NOT NULL,
  inode      INTEGER NOT NULL,          -- which file it is, whatever its name
  born       INTEGER NOT NULL,
  stale      INTEGER NOT NULL DEFAULT 0 -- 1 if it must be read again, whatever its bytes
) STRICT;

CREATE UNIQUE INDEX article_path ON article (path) WHERE state < 2;
CREATE INDEX article_newest ON article (published DESC, slug) WHERE state = 0;
CREATE INDEX article_file ON article (file_hash);
CREATE INDEX article_inode ON article (inode, born) WHERE state < 2;

-- What an article says, as JSON; apart from its row, so that walking over the rows stays cheap.
CREATE TABLE content (
  number INTEGER PRIMARY KEY REFERENCES article (number),
  entry  TEXT NOT NULL
) STRICT;

-- Every address that an article ever had: an old one redirects, a deleted article's answers 410.
CREATE TABLE address (
  slug   TEXT PRIMARY KEY,
  number INTEGER NOT NULL REFERENCES article (number)
) STRICT, WITHOUT ROWID;

-- When the bytes of each document last changed: Last-Modified over restarts.
CREATE TABLE document (
  path     TEXT PRIMARY KEY,
  hash     BLOB NOT NULL,
  modified INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
