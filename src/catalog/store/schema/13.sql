-- Articles that stand at the top of the pages that list them; the larger number first.

ALTER TABLE article ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX article_pinned ON article (pinned DESC, published DESC, rank DESC, number DESC) WHERE pinned > 0;
-- When a pinned article of the view last changed. Its page shows them, its feeds do not.
ALTER TABLE view ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
