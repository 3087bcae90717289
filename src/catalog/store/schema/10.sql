-- The problems of published articles, which a start must know without reading the files again.

CREATE TABLE problem (
  article  INTEGER PRIMARY KEY REFERENCES article (number),
  is_fault INTEGER NOT NULL,            -- 0: all of them are remarks
  problems TEXT NOT NULL                -- as JSON
) STRICT;

CREATE INDEX problem_fault ON problem (is_fault, article);
