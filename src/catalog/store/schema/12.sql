-- Pages that are no articles: in no feed, archive or list, but at an address of their own.

-- article.page: 0 an article; 1 an article that was a page; 2 a page that the menu leaves out; 3 a page in the menu.
ALTER TABLE article ADD COLUMN page INTEGER NOT NULL DEFAULT 0;

CREATE INDEX article_menu ON article (number) WHERE page = 3;

-- The totals are those of articles.
DROP TRIGGER total_of_changed;
CREATE TRIGGER total_of_changed AFTER UPDATE OF state, shown, rank, page ON article
WHEN old.state <> new.state OR old.shown <> new.shown OR (old.rank = x'') <> (new.rank = x'') OR (old.page < 2) <> (new.page < 2)
BEGIN
  UPDATE total SET
    shown = shown + (new.state = 0) * (new.page < 2) * new.shown - (old.state = 0) * (old.page < 2) * old.shown,
    scheduled = scheduled + (new.state = 0) * (new.page < 2) * (1 - new.shown)
      - (old.state = 0) * (old.page < 2) * (1 - old.shown),
    recordings = recordings + (new.state = 0) * (new.page < 2) * new.shown * (new.rank <> x'')
      - (old.state = 0) * (old.page < 2) * old.shown * (old.rank <> x'');
END;
