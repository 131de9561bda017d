-- Which node has which version of the operator's project files. Nodes whose versions differ must not do the
-- same work in two ways: the one that has had its version longer goes on, and the other stands back.

CREATE TABLE project_file (
  project text NOT NULL,
  node text NOT NULL,
  sha256 text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (project, node));
COMMENT ON COLUMN project_file.sha256 IS 'Of the file as it may be shown, without its secrets.';
COMMENT ON COLUMN project_file.since IS 'When the node began with this version.';
