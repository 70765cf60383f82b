INSERT INTO domain (domain, description, transport, backupmx, active) VALUES
  ('ALL', '', '', '0', '1'),
  ('example.org', 'The first, "main" domain; with marks', 'virtual', '0', '1'),
  ('example.net', 'b, c', 'virtual', '0', '1'),
  ('alias.example', 'An alias is in this table, too', 'virtual', '0', '1'),
  ('gone.example', 'Its alias is not active, nor is it', 'virtual', '0', '0'),
  ('dead.example', 'An alias of a domain that is not active', 'virtual', '0', '0'),
  ('inactive.example', '', 'virtual', '0', '0'),
  ('backup.example', '', 'relay', '1', '1');
INSERT INTO alias_domain (alias_domain, target_domain, active) VALUES
  ('alias.example', 'example.org', '1'),
  ('gone.example', 'example.org', '0'),
  ('dead.example', 'inactive.example', '1');
