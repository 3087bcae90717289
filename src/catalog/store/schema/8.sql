-- By what links and old addresses mean an article, apart from its slug: each address that it states, with a slash at its start, and
-- the slugs of its file name and of its title, after an equals sign.

CREATE TABLE name (
  name    TEXT NOT NULL,
  article INTEGER NOT NULL REFERENCES article (number),
  PRIMARY KEY (name, article)
) STRICT, WITHOUT ROWID;

CREATE INDEX name_article ON name (article);
