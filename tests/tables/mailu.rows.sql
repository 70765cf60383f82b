INSERT INTO domain (created_at, comment, name, max_users, max_aliases, max_quota_bytes, signup_enabled, anonmail_enabled)
VALUES
  ('2026-01-01', 'The first, "main" domain', 'example.org', -1, -1, 0, '0', '0'),
  ('2026-01-01', NULL, 'example.net', -1, -1, 0, '0', '0'),
  ('2026-01-01', NULL, 'xn--bcher-kva.example', -1, -1, 0, '0', '0');
INSERT INTO alternative (created_at, name, domain_name) VALUES
  ('2026-01-01', 'alias.example', 'example.org');
INSERT INTO relay (created_at, name, smtp) VALUES
  ('2026-01-01', 'relay.example', '[192.0.2.1]:25');
