-- Facts of one node among replicas, which are not replicated.

-- Former bytes of files, which another node has superseded. While this node's file still has such bytes, its copy of the folder is behind.
CREATE TABLE behind (
  path BLOB NOT NULL,                   -- below the watched folder
  hash BLOB NOT NULL,                   -- of those bytes
  PRIMARY KEY (path, hash)
) STRICT, WITHOUT ROWID;
