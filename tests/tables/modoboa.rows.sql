INSERT INTO admin_domain (id, name, enabled, type) VALUES
  (1, 'example.org', '1', 'domain'),
  (2, 'example.net', '1', 'domain'),
  (3, 'inactive.example', '0', 'domain'),
  (4, 'relay.example', '1', 'relaydomain');
INSERT INTO admin_domainalias (name, enabled, target_id) VALUES
  ('alias.example', '1', 1),
  ('gone.example', '0', 1),
  ('dead.example', '1', 3),
  ('relayed.example', '1', 4);
