-- Articles whose text was not read yet: at the first reading of many files their heads alone are read, so that feeds are up soon.
-- article.stale is 3 for them, their row in content says what their heads say, and their weight is a guess. Nothing that readers
-- get shows such a row: it is read first.

CREATE INDEX article_unread ON article (number) WHERE stale = 3;

-- New articles are counted by whoever records them: a trigger would take longer than all else.
DROP TRIGGER total_of_new;
