-- Files that articles refer to: pictures, recordings, other articles. One may be named before it is there.

CREATE TABLE media (
  path    BLOB NOT NULL,                            -- below the watched folder
  article INTEGER NOT NULL REFERENCES article (number),
  stamp   INTEGER NOT NULL,                         -- which version of the file the article was read with; 0 if there was none
  PRIMARY KEY (path, article)
) STRICT, WITHOUT ROWID;

CREATE INDEX media_article ON media (article);

-- From here on, article.stale is 2 where only the program changed: the same bytes are no update then, whatever is made of them.
