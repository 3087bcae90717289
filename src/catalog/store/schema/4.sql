-- How many articles there are, kept up by every change, so that nobody has to count them.

CREATE TABLE total (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  shown     INTEGER NOT NULL,           -- in the feed, expired or not
  scheduled INTEGER NOT NULL            -- their time has not come
) STRICT;

INSERT INTO total SELECT 1, coalesce(sum(shown), 0), coalesce(sum(1 - shown), 0) FROM article WHERE state = 0;

CREATE TRIGGER total_of_new AFTER INSERT ON article WHEN new.state = 0 BEGIN
  UPDATE total SET shown = shown + new.shown, scheduled = scheduled + 1 - new.shown;
END;

CREATE TRIGGER total_of_changed AFTER UPDATE OF state, shown ON article
WHEN old.state <> new.state OR old.shown <> new.shown BEGIN
  UPDATE total SET
    shown = shown + (new.state = 0) * new.shown - (old.state = 0) * old.shown,
    scheduled = scheduled + (new.state = 0) * (1 - new.shown) - (old.state = 0) * (1 - old.shown);
END;
