-- Texts that are not public any more. The text of a deleted or withdrawn article is dropped with its tombstone; id, hash, slug and path
-- stay, so that the id is never reused and the address answers 410. Before this migration, such texts stayed.

UPDATE content SET entry = '{"title":"","authors":[],"summary":"","html":"","tags":[],"language":null,"link":null}'
WHERE number IN (SELECT number FROM article WHERE state > 0
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number));

UPDATE adopted SET title = NULL, stem = NULL WHERE article IN (SELECT number FROM article WHERE state = 2
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number));
