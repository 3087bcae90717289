-- Which recordings belong to which article.

-- 0: the article only mentions the file. 1: it claims the recording (by its name, or in its front matter), and another article has
-- it. 2: the recording belongs to it.
ALTER TABLE media ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;

-- 1: the entry has had a recording that was never an entry of its own. 2: it continues the entry of a recording.
ALTER TABLE article ADD COLUMN episode INTEGER NOT NULL DEFAULT 0;
