-- Pages of articles link to the next older and the next newer one.

-- When what such links show of the article last changed: its address, title, language or place.
ALTER TABLE article ADD COLUMN headline INTEGER NOT NULL DEFAULT 0;
-- When an article beside it was last removed, or it was last moved into another folder.
ALTER TABLE article ADD COLUMN around INTEGER NOT NULL DEFAULT 0;
