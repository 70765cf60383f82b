INSERT INTO domain (domain, description, transport, backupmx, active) VALUES
  ('example.org', 'The first, "main" domain', 'dovecot', 0, 1),
  ('example.net', '', 'dovecot', 0, 1),
  ('inactive.example', '', 'dovecot', 0, 0),
  ('backup.example', '', 'smtp:[192.0.2.1]:25', 1, 1);
INSERT INTO alias_domain (alias_domain, target_domain, active) VALUES
  ('alias.example', 'example.org', 1),
  ('gone.example', 'example.org', 0),
  ('dead.example', 'inactive.example', 1),
  ('relayed.example', 'backup.example', 1);
