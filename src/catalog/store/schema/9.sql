-- The order of articles of one second: the later one first, and episodes by their numbers.

-- article.rank: where the entry stands among those of its second, as bytes that are compared; empty if it has no recording. Of equal
-- ones, the article with the larger number comes first.
ALTER TABLE article ADD COLUMN rank BLOB NOT NULL DEFAULT x'';
-- The file of each recording is read again, which sets its rank.
UPDATE article SET rank = x'00' WHERE number IN (
  SELECT number FROM content WHERE instr(entry, '"media_type":"audio/') > 0 OR instr(entry, '"media_type":"video/') > 0);

DROP INDEX article_newest;
CREATE INDEX article_newest ON article (published DESC, rank DESC, number DESC) WHERE state = 0;
DROP INDEX article_open;
CREATE INDEX article_open ON article (published, rank, number) WHERE state = 0 AND archive IS NULL;
DROP INDEX article_updated;
CREATE INDEX article_updated ON article (updated DESC, number DESC)
  WHERE state = 0 AND archive IS NOT NULL AND updated > published;

CREATE TABLE ranked_member (
  view      INTEGER NOT NULL REFERENCES view (number),
  published INTEGER NOT NULL,
  rank      BLOB NOT NULL,              -- as in article
  number    INTEGER NOT NULL REFERENCES article (number),
  name      TEXT NOT NULL,              -- how the article writes it
  PRIMARY KEY (view, published DESC, rank DESC, number DESC)
) STRICT, WITHOUT ROWID;

INSERT INTO ranked_member (view, published, rank, number, name)
SELECT view, member.published, coalesce(article.rank, x''), member.number, name
FROM member LEFT JOIN article USING (number) ORDER BY view, member.published DESC, article.rank DESC, member.number DESC;

DROP TABLE member;
ALTER TABLE ranked_member RENAME TO member;
CREATE INDEX member_article ON member (number);

-- How many of the members of a view, and of all articles, have a recording.
ALTER TABLE view ADD COLUMN recordings INTEGER NOT NULL DEFAULT 0;
UPDATE view SET recordings = (SELECT count(*) FROM member WHERE member.view = view.number AND rank <> x'');

ALTER TABLE total ADD COLUMN recordings INTEGER NOT NULL DEFAULT 0;
UPDATE total SET recordings = (SELECT count(*) FROM article WHERE state = 0 AND shown = 1 AND rank <> x'');

DROP TRIGGER total_of_changed;
CREATE TRIGGER total_of_changed AFTER UPDATE OF state, shown, rank ON article
WHEN old.state <> new.state OR old.shown <> new.shown OR (old.rank = x'') <> (new.rank = x'') BEGIN
  UPDATE total SET
    shown = shown + (new.state = 0) * new.shown - (old.state = 0) * old.shown,
    scheduled = scheduled + (new.state = 0) * (1 - new.shown) - (old.state = 0) * (1 - old.shown),
    recordings = recordings + (new.state = 0) * new.shown * (new.rank <> x'')
      - (old.state = 0) * old.shown * (old.rank <> x'');
END;
