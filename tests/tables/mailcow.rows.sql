INSERT INTO domain (domain, description, backupmx, relay_all_recipients, active) VALUES
  ('example.org', 'The first, "main" domain', 0, 0, 1),
  ('example.net', NULL, 0, 0, 1),
  ('inactive.example', NULL, 0, 0, 0),
  ('backup.example', NULL, 1, 1, 1),
  ('relay.example', NULL, 1, 0, 1);
INSERT INTO alias_domain (alias_domain, target_domain, active) VALUES
  ('alias.example', 'example.org', 1),
  ('gone.example', 'example.org', 0),
  ('dead.example', 'inactive.example', 1),
  ('relayed.example', 'relay.example', 1);
