-- Facts of one node among replicas, which are not replicated.

-- Files that still have bytes which another node has superseded: this node's copy of the folder is behind.
CREATE TABLE behind (
  path BLOB PRIMARY KEY,                -- below the watched folder
  hash BLOB NOT NULL                    -- of those bytes
) STRICT, WITHOUT ROWID;
