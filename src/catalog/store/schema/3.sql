-- Feeds of folders, tags and authors; archives; tombstones.

ALTER TABLE article ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;  -- bytes that the entry takes in a feed, at most
ALTER TABLE article ADD COLUMN brief INTEGER NOT NULL DEFAULT 0;   -- the same without its text
ALTER TABLE article ADD COLUMN archive INTEGER;                    -- which archive document it is in, for ever

DROP INDEX article_newest;
CREATE INDEX article_newest ON article (published DESC, number) WHERE state = 0;
CREATE INDEX article_open ON article (published, number DESC) WHERE state = 0 AND archive IS NULL;
CREATE INDEX article_archive ON article (archive) WHERE archive IS NOT NULL;
CREATE INDEX article_updated ON article (updated DESC, number) WHERE state = 0 AND archive IS NOT NULL AND updated > published;

-- The whole (number 1, kind 0), each sub-folder (1), tag (2) and author (3). One that was there once stays, empty or not.
-- Nothing here tells of what is not shown yet.
CREATE TABLE view (
  number  INTEGER PRIMARY KEY,
  kind    INTEGER NOT NULL,
  key     TEXT NOT NULL,                -- folded name
  name    TEXT NOT NULL,                -- as most articles write it
  members INTEGER NOT NULL DEFAULT 0,   -- articles in it that were shown
  revised INTEGER NOT NULL,             -- when its documents last changed
  floor   INTEGER NOT NULL DEFAULT (-9223372036854775808),  -- what was published before changes no document
  latest  INTEGER NOT NULL DEFAULT 0,   -- newest change that its documents ever told of
  guid    TEXT,                         -- podcast:guid, once it has one
  UNIQUE (kind, key)
) STRICT;

CREATE INDEX view_members ON view (kind, members DESC, key) WHERE members > 0;

INSERT INTO view (number, kind, key, name, revised) VALUES (1, 0, '', '', 0);

-- How often each way of writing a name is used.
CREATE TABLE spelling (
  view  INTEGER NOT NULL REFERENCES view (number),
  name  TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (view, name)
) STRICT, WITHOUT ROWID;

-- Which views an article is in that is shown; the whole is not told.
CREATE TABLE member (
  view      INTEGER NOT NULL REFERENCES view (number),
  published INTEGER NOT NULL,
  number    INTEGER NOT NULL REFERENCES article (number),
  name      TEXT NOT NULL,              -- how the article writes it
  PRIMARY KEY (view, published DESC, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_article ON member (number);

-- What was in a view and is not published any more, until readers have had time to hear of it.
CREATE TABLE tombstone (
  view   INTEGER NOT NULL REFERENCES view (number),
  at     INTEGER NOT NULL,
  number INTEGER NOT NULL REFERENCES article (number),
  PRIMARY KEY (view, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_at ON tombstone (at);
CREATE INDEX tombstone_latest ON tombstone (view, at DESC, number);
CREATE INDEX tombstone_article ON tombstone (number);

CREATE TABLE archive (
  number  INTEGER PRIMARY KEY,          -- 1 is the oldest
  oldest  INTEGER NOT NULL,             -- when the articles in it were published that it was closed with
  newest  INTEGER NOT NULL,
  closed  INTEGER NOT NULL,             -- the version that first told of it
  revised INTEGER NOT NULL              -- when its documents last changed
) STRICT;

-- Files that articles refer to: pictures, recordings, other articles. One may be named before it is there.

CREATE TABLE media (
  path    BLOB NOT NULL,                            -- below the watched folder
  article INTEGER NOT NULL REFERENCES article (number),
  stamp   INTEGER NOT NULL,                         -- which version of the file the article was read with; 0 if there was none
  PRIMARY KEY (path, article)
) STRICT, WITHOUT ROWID;

CREATE INDEX media_article ON media (article);

-- From here on, article.stale is 2 where only the program changed: the same bytes are no update then, whatever is made of them.
